//! The installer and its undo.

use super::site::{CONFIG, INSTALL};
use crate::world::{Sandbox, Scratch, run, strip};
use std::{fs, path::Path};
use tokio::process::Command;

const FILES: [&str; 11] = [
    "bin/keyrelay",
    "lib/systemd/system/keyrelay-failed.service",
    "lib/systemd/system/keyrelay.service",
    "lib/sysusers.d/keyrelay.conf",
    "lib/tmpfiles.d/keyrelay.conf",
    "share/bash-completion/completions/keyrelay",
    "share/doc/keyrelay/config.example.yaml",
    "share/doc/keyrelay/example-drop-in.conf",
    "share/fish/vendor_completions.d/keyrelay.fish",
    "share/man/man8/keyrelay.8",
    "share/zsh/site-functions/_keyrelay",
];

#[tokio::test]
async fn a_tree_that_is_packed_elsewhere_gets_every_file_and_this_machine_none() {
    let scratch = Scratch::new();
    let (tree, program) = (scratch.folder("tree"), scratch.join("keyrelay"));
    strip(&program);
    let mut install = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/install"));
    install.arg("--binary").arg(&program).env("DESTDIR", &tree).env("PREFIX", "/opt/relay");
    let ran = run(&mut install, b"").await;
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    let expected = FILES.map(|file| format!("opt/relay/{file}"));
    assert_eq!(files_below(&tree, &tree), expected);
    let unit =
        fs::read_to_string(tree.join("opt/relay/lib/systemd/system/keyrelay.service")).expect("the unit");
    assert!(unit.contains("\nExecStart=/opt/relay/bin/keyrelay run\n"), "{unit}");
    assert!(!unit.contains("/usr/bin/keyrelay"), "{unit}");
    let page = fs::read_to_string(tree.join("opt/relay/share/man/man8/keyrelay.8")).expect("the manual page");
    assert!(page.contains(".TH keyrelay 8"), "{page}");
}

#[tokio::test]
async fn installed_twice_and_removed_it_never_touches_what_is_the_operators() {
    let Some(sandbox) = Sandbox::boot().await else { return };
    sandbox.sh(INSTALL).await;
    for file in FILES {
        sandbox.sh(&format!("test -f /usr/local/{file}")).await;
    }
    assert_eq!(sandbox.sh("id -un keyrelay; id -gn keyrelay").await, "keyrelay\nkeyrelay\n");
    let folders =
        sandbox.sh("stat -c '%U %G %a %n' /etc/keyrelay /etc/keyrelay/config.d /etc/credstore").await;
    assert_eq!(
        folders,
        "root keyrelay 750 /etc/keyrelay\nroot keyrelay 750 /etc/keyrelay/config.d\nroot root 700 /etc/credstore\n"
    );
    sandbox.sh("systemd-analyze verify --recursive-errors=no --man=no /usr/local/lib/systemd/system/keyrelay*.service").await;
    for (unit, exposed) in [("keyrelay", 13), ("keyrelay-failed", 13)] {
        let file = format!("/usr/local/lib/systemd/system/{unit}.service");
        sandbox
            .sh(&format!("systemd-analyze security --offline=true --threshold={exposed} --no-pager {file}"))
            .await;
    }

    let mine = [
        (CONFIG, "mine\n"),
        ("/etc/credstore/imap-password", "a secret"),
        ("/var/lib/keyrelay/spool/1.key", ""),
    ];
    for (path, content) in mine {
        sandbox.write(path, "600", content).await;
    }
    let drop_in = "[Service]\nReadWritePaths=/srv\n";
    sandbox.drop_in("keyrelay.service", "local", drop_in).await;
    let again = sandbox.run(&["bash", "-c", INSTALL]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(again.stderr, "keyrelay is installed; /etc/keyrelay/config.yaml is as it was\n");

    let gone = sandbox.run(&["/srv/keyrelay/scripts/install", "--uninstall"]).await;
    assert_eq!(gone.code, Some(0), "{gone:?}");
    for file in FILES {
        sandbox.sh(&format!("test ! -e /usr/local/{file}")).await;
    }
    for (path, content) in mine {
        let folder =
            Path::new(path).parent().expect("a folder").parent().expect("another").display().to_string();
        assert!(gone.stderr.contains(&folder) || gone.stderr.contains("/etc/"), "{}", gone.stderr);
        assert_eq!(sandbox.sh(&format!("cat {path}")).await, content);
    }
    assert_eq!(sandbox.sh("cat /etc/systemd/system/keyrelay.service.d/local.conf").await, drop_in);
    for kept in
        ["/etc/keyrelay", "/etc/credstore", "/etc/systemd/system", "/var/lib/keyrelay", "user keyrelay"]
    {
        assert!(gone.stderr.contains(kept), "{kept}: {}", gone.stderr);
    }
    sandbox.sh("id keyrelay").await;
}

/// All files, sorted, as paths from `root`.
fn files_below(folder: &Path, root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path, root));
        } else {
            files.push(path.strip_prefix(root).expect("below").display().to_string());
        }
    }
    files.sort();
    files
}
