//! `keyrelay man`: one page for all commands, made of the same texts as `--help`.

use super::{
    Cli, EXITS,
    console::{Console, Exit},
};
use clap::{Command, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use std::io;

/// Print the manual page
///
/// To read it: keyrelay man | man -l -. Needs no configuration.
#[derive(Debug, clap::Args)]
pub struct Args {}

const FILES: &[(&str, &str)] = &[
    ("/etc/keyrelay/config.yaml", "The configuration."),
    ("/etc/keyrelay/config.d/*.yaml", "More of it, merged in the order of the files' names."),
    ("/etc/credstore/NAME", "Where systemd, and a command in its absence, finds {credential: NAME}."),
    ("/run/keyrelay/control.sock", "Where the commands ask the daemon; open to the group keyrelay."),
    ("/var/lib/keyrelay/spool/", "Keys that are not in the store yet, encrypted."),
    ("/var/lib/keyrelay/history/CREDENTIAL.jsonl", "The last hundred rotations, refusals and rollbacks."),
    (
        "/var/lib/keyrelay/history/CREDENTIAL.leaf7.jsonl",
        "What keyrelay leaf7 has changed, and who wanted it.",
    ),
    ("/var/lib/keyrelay/store/", "The embedded store, where no Vault is used; encrypted."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("KEYRELAY_CONFIG", "Where the configuration is; --config counts first."),
    (
        "KEYRELAY_*",
        "Any key of the configuration, with __ between its levels and _ for each hyphen in a name: \
         KEYRELAY_CREDENTIALS__LEAF7_MAIN__PATH. Secrets are no values but references.",
    ),
    ("STATE_DIRECTORY", "In place of /var/lib/keyrelay; systemd sets it."),
    ("CREDENTIALS_DIRECTORY", "Where {credential: NAME} is looked for first; systemd sets it."),
    ("NO_COLOR", "Not empty: no colour, on a terminal either."),
    ("RUST_LOG", "What the daemon writes to the journal, as in debug; keys are in none of it."),
];

pub fn man(console: &mut Console<'_>) -> Exit {
    console.say(&page());
    Exit::Done
}

fn page() -> String {
    let program = || Cli::command().disable_help_subcommand(true).after_help("");
    let whole = Man::new(program()).section("8").manual("keyrelay");
    let mut page = PREAMBLE.to_owned();
    page += &section(|out| whole.render_title(out));
    page += &section(|out| whole.render_name_section(out));
    page += &section(|out| whole.render_synopsis_section(out));
    page += &section(|out| whole.render_description_section(out));
    page += &section(|out| whole.render_options_section(out));
    page += ".SH COMMANDS\n";
    shown(&program()).for_each(|one| page += &command("keyrelay", one));
    let exits: Vec<_> = EXITS.iter().map(|(exit, words)| (exit.code().to_string(), *words)).collect();
    page += &list("EXIT STATUS", exits.iter().map(|(code, words)| (code.as_str(), *words)));
    page += &list("FILES", FILES.iter().copied());
    page += &list("ENVIRONMENT", ENVIRONMENT.iter().copied());
    page + &see_also()
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set())
}

/// One command: what it is for, how it is typed, what it does and takes; and those below it.
fn command(above: &str, command: &Command) -> String {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_about().map(|about| about.to_string()).unwrap_or_default();
    let more = command.get_long_about().map(|all| all.to_string()).unwrap_or_default();
    let more = more.strip_prefix(&about).unwrap_or_default().trim().to_owned();
    let man = Man::new(command.clone().bin_name(&name).disable_help_flag(true));
    let mut text = written(Roff::new().control("SS", [name.as_str()]));
    text += &below(section(|out| man.render_synopsis_section(out)));
    text += &written(Roff::new().control("PP", []).text([roman(about + ".")]));
    if !more.is_empty() {
        text += &written(Roff::new().control("PP", []).text([roman(more)]));
    }
    text += &below(section(|out| man.render_options_section(out)));
    text + &shown(command).map(|one| self::command(&name, one)).collect::<String>()
}

fn list<'a>(heading: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut section = Roff::new();
    section.control("SH", [heading]);
    for (name, words) in rows {
        section.control("TP", []).text([bold(name)]).text([roman(words)]);
    }
    written(&section)
}

fn see_also() -> String {
    let names = ["systemctl", "journalctl", "systemd-creds"].into_iter().enumerate();
    let comma = |index| if index == 0 { "" } else { ", " };
    let named = names.flat_map(|(index, name)| [roman(comma(index)), bold(name), roman("(1)")]);
    written(Roff::new().control("SH", ["SEE ALSO"]).text(named.collect::<Vec<_>>()))
}

/// What defines the straight apostrophe; the library puts it before each of its parts.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

fn written(part: &Roff) -> String {
    without_preamble(&part.render()).to_owned()
}
fn section(render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    render(&mut bytes).expect("memory takes what is written to it");
    without_preamble(&String::from_utf8(bytes).expect("the page is made of texts")).to_owned()
}
fn without_preamble(text: &str) -> &str {
    text.strip_prefix(PREAMBLE).unwrap_or(text)
}
/// What stands below a section's heading.
fn below(section: String) -> String {
    section.split_once('\n').map(|(_, below)| below.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    #[test]
    fn the_page_names_every_command_option_exit_code_file_and_variable() {
        let page = read(&page());
        named("keyrelay", &Cli::command(), &page);
        for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "FILES"] {
            assert_eq!(page.lines().filter(|line| *line == heading).count(), 1, "{heading}");
        }
        for (name, _) in FILES.iter().chain(ENVIRONMENT) {
            assert!(page.contains(&format!("\n       {name}")), "{name}");
        }
        assert!(page.contains("\n       3      an outside system could not be reached\n"), "{page}");
    }

    /// Each command below it, each with its options.
    fn named(above: &str, command: &clap::Command, page: &str) {
        for command in shown(command) {
            let name = format!("{above} {}", command.get_name());
            assert!(page.contains(&format!("\n   {name}\n")), "{name}");
            for option in command.get_arguments().filter_map(|option| option.get_long()) {
                assert!(page.contains(&format!("--{option}")), "{name} --{option}");
            }
            named(&name, command, page);
        }
    }

    /// As a reader sees it; a warning of the formatter's is a failure.
    fn read(page: &str) -> String {
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=80n"]);
        groff.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut groff = groff.spawn().unwrap();
        groff.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        let ran = groff.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
        String::from_utf8(ran.stdout).unwrap()
    }
}
