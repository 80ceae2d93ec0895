//! The README's way from a script to keyrelay: what its steps write is right, and means what they say.

use super::*;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));

/// The YAML blocks of a section, without the indentation of the list that they stand in.
fn blocks(heading: &str) -> Vec<String> {
    let section = README.split_once(heading).unwrap_or_else(|| panic!("README.md has no {heading}")).1;
    let section = section.split("\n#").next().unwrap();
    let block = |block: &str| {
        let indent = block.lines().nth(1).unwrap();
        let indent = &indent[..indent.len() - indent.trim_start().len()];
        let lines = block.split_once("```").unwrap().0.lines().skip(1);
        lines.map(|line| format!("{}\n", line.strip_prefix(indent).unwrap_or(line))).collect()
    };
    section.split("```yaml").skip(1).map(block).collect()
}

/// The README's smallest configuration without its credential, and a file of `config.d`.
fn with_step(step: &str) -> Config {
    let smallest = &blocks("## Configure\n")[0];
    let main = smallest.split("credentials:\n").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config.d")).unwrap();
    std::fs::write(folder.path().join("config.yaml"), main).unwrap();
    std::fs::write(folder.path().join("config.d/leaf7-main.yaml"), step).unwrap();
    load_folder(folder.path(), &[], Need::Check).unwrap_or_else(|lines| panic!("{lines:#?}\n{step}")).0
}

fn main_of(config: &Config) -> &Credential {
    &config.credentials[&"leaf7-main".parse().unwrap()]
}

#[test]
fn the_smallest_configuration_of_the_readme_is_right() {
    let config = load_text(&blocks("## Configure\n")[0], &[], Need::Check).unwrap().0;
    assert_eq!(main_of(&config).consumers.len(), 1);
}

#[test]
fn each_step_from_a_script_is_a_right_configuration_and_observes_until_the_last() {
    let [observe, consumers] = &blocks("### Coming from a script\n")[..] else { panic!() };
    let config = with_step(observe);
    assert_eq!((main_of(&config).observe, main_of(&config).consumers.len()), (true, 0));
    let config = with_step(consumers);
    assert_eq!((main_of(&config).observe, main_of(&config).consumers.len()), (true, 1));
    let last = consumers.replace("observe: true", "observe: false");
    assert_ne!(last, *consumers);
    let config = with_step(&last);
    assert_eq!((main_of(&config).observe, main_of(&config).consumers.len()), (false, 1));
}
