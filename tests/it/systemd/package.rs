//! The Debian package: installed, upgraded, removed, purged.

use super::site::{CONFIG, Site, UNIT};
use crate::world::{Sandbox, Scratch, run, strip};
use std::{fs, path::Path};
use tokio::process::Command;

#[tokio::test]
async fn the_package_is_installed_upgraded_removed_and_purged() {
    let Some(sandbox) = Sandbox::boot().await else { return };
    let scratch = Scratch::new();
    for version in ["1.0.0", "1.1.0"] {
        let package = build(&scratch, version).await;
        sandbox.write(&format!("/root/{version}.deb"), "644", package).await;
    }
    sandbox.sh("dpkg -i /root/1.0.0.deb").await;
    assert_eq!(sandbox.sh("id -un keyrelay; stat -c %a /etc/credstore").await, "keyrelay\n700\n");
    let state = sandbox.run(&["systemctl", "is-enabled", UNIT]).await;
    assert_eq!(state.stdout, "disabled\n", "there is no configuration yet");
    assert_eq!(sandbox.show(UNIT, "ActiveState").await, "inactive");
    let files = sandbox.sh("dpkg -L keyrelay").await;
    for file in
        ["man/man8/keyrelay.8.gz", "bash-completion/completions/keyrelay", "doc/keyrelay/config.example.yaml"]
    {
        assert!(files.contains(&format!("/usr/share/{file}\n")), "{file}: {files}");
    }

    let site = Site::in_box(sandbox).await;
    site.sandbox.sh("systemctl enable --now keyrelay").await;
    site.wait_status("1 credential, all tested").await;
    let (before, config) = (site.pid().await, site.sandbox.sh(&format!("cat {CONFIG}")).await);

    site.sandbox.sh("dpkg -i /root/1.1.0.deb").await;
    assert_ne!(site.pid().await, before, "the new program runs");
    site.wait_status("1 credential, all tested").await;
    assert_eq!(site.sandbox.sh(&format!("cat {CONFIG}")).await, config);
    assert_eq!(site.sandbox.sh("dpkg-query -W -f='${Version}' keyrelay").await, "1.1.0");

    site.sandbox.sh("dpkg -r keyrelay").await;
    assert_eq!(site.show("ActiveState").await, "inactive");
    site.sandbox
        .sh(&format!("test ! -e /usr/bin/keyrelay -a -f {CONFIG} -a -d /var/lib/keyrelay/spool"))
        .await;

    site.sandbox.sh("dpkg -i /root/1.1.0.deb; systemctl start keyrelay").await;
    site.wait_status("1 credential, all tested").await;

    site.sandbox.sh("dpkg -P keyrelay").await;
    site.sandbox
        .sh("test ! -e /etc/keyrelay -a ! -e /var/lib/keyrelay -a -f /etc/credstore/imap-password")
        .await;
}

#[tokio::test]
async fn a_purge_leaves_keys_that_exist_nowhere_else() {
    let Some(sandbox) = Sandbox::boot().await else { return };
    let package = build(&Scratch::new(), "1.0.0").await;
    sandbox.write("/root/1.0.0.deb", "644", package).await;
    sandbox.sh("dpkg -i /root/1.0.0.deb").await;
    sandbox.write("/var/lib/keyrelay/spool/leaf7-main.1.key", "600", "a spooled key").await;
    let purge = sandbox.run(&["dpkg", "-P", "keyrelay"]).await;
    assert_eq!(purge.code, Some(0), "{purge:?}");
    assert!(purge.stderr.contains("/var/lib/keyrelay is left: keys wait in its spool"), "{purge:?}");
    assert_eq!(sandbox.sh("cat /var/lib/keyrelay/spool/leaf7-main.1.key").await, "a spooled key");
}

/// The package of the program that was built for the tests, as `scripts/package` makes it.
async fn build(scratch: &Scratch, version: &str) -> Vec<u8> {
    strip(&scratch.folder("release").join("keyrelay"));
    let package = scratch.join("keyrelay.deb");
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/package"));
    command.args(["--no-build", "--fast", "--deb-version", version, "-o"]).arg(&package);
    let built = run(command.env("CARGO_TARGET_DIR", scratch.path()), b"").await;
    assert_eq!(built.code, Some(0), "{built:?}");
    fs::read(package).expect("a package")
}
