//! What systemd, polkit and the file system must allow, as a script of here-documents: each file can be read with the
//! path that it belongs to, and all of them be installed at once. Pure.

use super::{
    secrets::Secrets,
    site::{Folder, Site, Watch, joined},
};
use std::{collections::BTreeSet, path::Path};

const DROP_IN: &str = "/etc/systemd/system/keyrelay.service.d/50-deliveries.conf";
const SECRETS: &str = "/etc/systemd/system/keyrelay.service.d/50-secrets.conf";
const SECRETS_OF_FAILED: &str = "/etc/systemd/system/keyrelay-failed.service.d/50-secrets.conf";
const TMPFILES: &str = "/etc/tmpfiles.d/keyrelay-deliveries.conf";
const RULE: &str = "/etc/polkit-1/rules.d/50-keyrelay.rules";

pub(super) fn script(site: &Site, without_polkit: bool) -> String {
    let option = if without_polkit { " --without-polkit" } else { "" };
    let mut text = format!(
        "# What keyrelay.service needs on this host besides itself, by {}.\n\
         # Read it, then install it (again when consumers have changed):\n\
         #   keyrelay policy systemd{option} | sudo sh\n",
        site.source.display()
    );
    if site.folders.is_empty() && site.verbs_by_unit.is_empty() && site.secrets == Secrets::default() {
        text += "\n# Nothing: no file is delivered here, no unit acted on, and no secret has a name of its own.\n";
    }
    text += "set -eu\numask 022\n";
    for finding in site.findings() {
        text += &format!("\n# NOT DONE: {finding}\n");
    }
    text += &secrets(site);
    text += &folders(site);
    text += &match without_polkit {
        false => rule(site),
        true => path_units(site),
    };
    text + &apply(site, without_polkit)
}

fn secrets(site: &Site) -> String {
    let drop_in = |names: &BTreeSet<String>, comment: &str, path: &str| match names.is_empty() {
        true => removed(path),
        false => {
            let lines = names.iter().map(|name| format!("LoadCredential={name}\n"));
            file(comment, path, &format!("[Service]\n{}", lines.collect::<String>()))
        }
    };
    drop_in(
        &site.secrets.daemon,
        "Secrets besides those that the unit names; each is /etc/credstore/NAME.",
        SECRETS,
    ) + &drop_in(
        &site.secrets.failed,
        "What mails when keyrelay itself is down needs the alerts'.",
        SECRETS_OF_FAILED,
    )
}

fn folders(site: &Site) -> String {
    let folders: Vec<_> =
        site.folders.iter().filter(|(path, folder)| folder.finding(path).is_none()).collect();
    if folders.is_empty() {
        return removed(DROP_IN) + &removed(TMPFILES);
    }
    let writable = folders.iter().map(|(path, _)| format!("ReadWritePaths=-{}\n", quoted(path)));
    let drop_in = format!("[Service]\n{}", writable.collect::<String>());
    let lines: String = folders.iter().map(|(path, folder)| folder_lines(path, folder)).collect();
    file("Everything outside of these folders stays read-only for keyrelay.", DROP_IN, &drop_in)
        + &file(
            "keyrelay writes here, the consumer's group (where one is named) reads, nobody else looks in.\n\
             # What systemd itself reads, in EnvironmentFile= and LoadCredential=, needs no group.",
            TMPFILES,
            &lines,
        )
}

/// The folder is keyrelay's, so that it can put a file in another's place; its setgid bit gives each new file the
/// consumer's group, though keyrelay is no member of it.
fn folder_lines(path: &Path, folder: &Folder) -> String {
    let (mode, group) = match folder.groups.first() {
        Some(group) => ("2750", group.as_str()),
        None => ("0700", "keyrelay"),
    };
    let mut lines = format!("# {}\n", joined(&folder.users));
    // The folders on the way are opened to be passed through, not to be read.
    folder.closed.iter().rev().for_each(|above| {
        lines += &format!("a+ {} - - - - user:keyrelay:--x\n", quoted(above));
    });
    lines + &format!("d {} {mode} keyrelay {group} -\n", quoted(path))
}

fn rule(site: &Site) -> String {
    if site.verbs_by_unit.is_empty() {
        return removed(RULE);
    }
    let units = site.verbs_by_unit.iter().map(|(unit, verbs)| {
        let verbs: Vec<_> = verbs.iter().map(|verb| verb.as_str()).collect();
        format!("    {}: {},\n", script_text(unit.as_str()), script_list(&verbs))
    });
    let text = format!(
        "// keyrelay may do this to these units, and nothing to any other.\n\
         polkit.addRule(function (action, subject) {{\n  \
           var allowed = {{\n{}  }};\n  \
           if (action.id == \"org.freedesktop.systemd1.manage-units\" && subject.user == \"keyrelay\") {{\n    \
             var verbs = allowed[action.lookup(\"unit\")];\n    \
             if (verbs && verbs.indexOf(action.lookup(\"verb\")) >= 0) return polkit.Result.YES;\n  \
           }}\n  \
           return polkit.Result.NOT_HANDLED;\n\
         }});\n",
        units.collect::<String>()
    );
    file("polkit takes up a rule by itself; it must be installed (Debian: polkitd).", RULE, &text)
}

fn path_units(site: &Site) -> String {
    let mut text = removed(RULE);
    if !site.watches.is_empty() {
        text += "\n# root restarts these units when their file changes. keyrelay has no part in that: leave `then:` out of\n\
                 # these consumers' configuration once this is installed. They are then shown as \"copy works\" unless they\n\
                 # have a proof (prove:), because keyrelay does not know their units any more.\n\
                 # To take one back: systemctl disable --now NAME.path\n";
    }
    for Watch { name, file: watched, verb, unit } in &site.watches {
        let about = format!("{} of {unit} after keyrelay has written its key", verb.as_str());
        let path = format!(
            "[Unit]\nDescription={about}\n\n[Path]\nPathChanged={}\n\n[Install]\nWantedBy=paths.target\n",
            specifiers_doubled(&watched.display().to_string())
        );
        let service = format!(
            "[Unit]\nDescription={about}\n\n[Service]\nType=oneshot\nExecStart=systemctl {} {}\n",
            verb.as_str(),
            specifiers_doubled(unit.as_str()).replace('\\', "\\\\")
        );
        text += &file("", &format!("/etc/systemd/system/{name}.path"), &path);
        text += &file("", &format!("/etc/systemd/system/{name}.service"), &service);
    }
    for user in &site.unwatched {
        text += &format!(
            "\n# NOT DONE: {user} is given no file that could be watched; it needs the polkit rule.\n"
        );
    }
    text
}

fn apply(site: &Site, without_polkit: bool) -> String {
    let mut text = String::from("\n");
    if site.folders.iter().any(|(path, folder)| folder.finding(path).is_none()) {
        text += &format!("systemd-tmpfiles --create {TMPFILES}\n");
    }
    text += "systemctl daemon-reload\n";
    if without_polkit {
        for watch in &site.watches {
            text += &format!("systemctl enable --now {}.path\n", watch.name);
        }
    }
    text + "systemctl try-restart keyrelay.service # for the folders; this restarts no consumer\n"
}

/// A comment, and a file with the path that it belongs to.
fn file(comment: &str, path: &str, text: &str) -> String {
    let comment = if comment.is_empty() { String::new() } else { format!("# {comment}\n") };
    let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
    format!("\n{comment}mkdir -p {folder}\ncat >{path} <<'END'\n{text}END\n")
}

/// What an earlier configuration may have needed.
fn removed(path: &str) -> String {
    format!("\nrm -f {path} # not needed\n")
}

/// As a word of a unit's or of tmpfiles' configuration.
fn quoted(path: &Path) -> String {
    let text = specifiers_doubled(&path.display().to_string());
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:%=".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn specifiers_doubled(text: &str) -> String {
    text.replace('%', "%%")
}

/// A string of JavaScript. A unit's name holds no quotes.
fn script_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\"))
}
fn script_list(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| script_text(word)).collect();
    format!("[{}]", words.join(", "))
}
