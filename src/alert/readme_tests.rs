//! The README's table of notices is the code's own: whoever adds a code reads here what to paste.

use crate::domain::Code;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
const BEGIN: &str = "<!-- notices -->\n";
const END: &str = "<!-- /notices -->";

#[test]
fn the_readme_explains_every_notice_in_the_codes_own_words() {
    let (_, section) = README.split_once(BEGIN).expect("README.md has a section <!-- notices -->");
    let (section, _) = section.split_once(END).expect("README.md's section ends with <!-- /notices -->");
    let table = table_markdown();
    assert!(section == table, "README.md: put this between {} and {END}:\n\n{table}", BEGIN.trim());
}

fn table_markdown() -> String {
    let mut table = "| code | means | first move |\n| --- | --- | --- |\n".to_owned();
    for code in Code::ALL {
        let cells = [format!("`{code}`"), cell(code.meaning()), cell(code.advice())];
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
