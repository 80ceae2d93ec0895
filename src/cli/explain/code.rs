//! What a notice's code means: its section of docs/alerts.md, as plain text.

use crate::domain::Code;

/// The one place where a notice is described at length; a test keeps it in step with the code.
pub const DOCS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/alerts.md"));

pub fn explained(code: Code) -> String {
    let mut text = format!("{code}: {}\nWhat to do: {}.", code.meaning(), code.advice());
    let Some(section) = section(code) else { return text };
    let known = |line: &&str| !line.starts_with("- **What to type:**") && *line != code.meaning();
    let mut is_example = false;
    for line in section.lines().filter(known) {
        let line = match line {
            "```text" => {
                is_example = true;
                "\nIt reads like this:\n".to_owned()
            }
            "```" | "" => continue,
            line if is_example => format!("  {line}"),
            line => line.replace("**", "").replace('`', "").trim_start_matches("- ").to_owned(),
        };
        text += &format!("\n{line}");
    }
    text
}

/// Below a code's heading, up to the next one.
pub fn section(code: Code) -> Option<&'static str> {
    let (_, rest) = DOCS.split_once(&format!("\n### `{code}`\n"))?;
    Some(rest.split("\n### ").next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_a_section_for_every_code_in_the_codes_own_words() {
        for code in Code::ALL {
            let section =
                section(*code).unwrap_or_else(|| panic!("docs/alerts.md has no section ### `{code}`"));
            for line in [code.meaning().to_owned(), format!("- **What to type:** {}", code.advice())] {
                assert!(
                    section.contains(&format!("\n{line}\n")),
                    "docs/alerts.md, {code}: put this in: {line}"
                );
            }
            for label in ["Weight", "What it breaks", "What keyrelay does"] {
                assert!(
                    section.contains(&format!("\n- **{label}:** ")),
                    "docs/alerts.md, {code}: say {label}"
                );
            }
        }
    }

    #[test]
    fn a_code_is_explained_with_all_that_an_operator_wants_to_know() {
        insta::assert_snapshot!(explained(Code::ConsumerUnproven));
    }
}
