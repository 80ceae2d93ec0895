//! A root shell beside a real unit: what counts is what the unit's user may, and what it sees.

use super::{lines, what_to_fix};
use crate::{
    systemd::{
        servers::NAME,
        site::{Site, UNIT},
    },
    world::Ran,
};
use serde_json::json;

const FOLDER: &str = "/etc/shop/keyrelay";
const DROP_IN: &str = "/etc/systemd/system/keyrelay.service.d/folders.conf";

async fn doctor(site: &Site) -> Ran {
    site.keyrelay(&["doctor"]).await
}

#[tokio::test]
async fn before_the_first_start_rights_are_those_of_the_units_user() {
    let Some(site) = Site::build().await else { return };
    let ran = doctor(&site).await;
    assert_eq!((ran.code, what_to_fix(&ran)), (Some(0), vec![]), "{}", ran.stdout);
    for line in [
        "ok rights are tried as: keyrelay, the user of keyrelay.service; it does not run, so its ReadWritePaths= are \
         compared, not tried",
        "ok daemon at /run/keyrelay/control.sock: none runs",
        "ok store.vault.auth.approle.secret_id: /etc/credstore/vault-secret-id, mode 0600",
    ] {
        assert!(lines(&ran).iter().any(|shown| shown == line), "{line}\n{}", ran.stdout);
    }
    let left =
        site.sandbox.sh(&format!("ls -A {FOLDER}; ls -A /var/lib/keyrelay 2> /dev/null || true")).await;
    assert_eq!(left, "", "nothing is left, and nothing is made in the daemon's place");

    site.sandbox.sh(&format!("chown root:root {FOLDER}")).await;
    let ran = doctor(&site).await;
    let failures = what_to_fix(&ran);
    assert_eq!((ran.code, failures.len()), (Some(1), 1), "{}", ran.stdout);
    assert!(
        failures[0].contains(&format!("{NAME}/shop file: "))
            && failures[0].contains("keyrelay policy systemd")
    );

    site.sandbox
        .sh(&format!("chown keyrelay:keyrelay {FOLDER}; rm {DROP_IN}; systemctl daemon-reload"))
        .await;
    let ran = doctor(&site).await;
    let told = format!(
        "consumers: {NAME}/shop file: {FOLDER}: the unit's ReadWritePaths= do not name it $ keyrelay policy systemd"
    );
    assert_eq!((ran.code, what_to_fix(&ran)), (Some(1), vec![told]), "{}", ran.stdout);
}

#[tokio::test]
async fn beside_the_running_unit_files_are_seen_as_it_sees_them() {
    let Some(site) = Site::running().await else { return };
    let ran = doctor(&site).await;
    assert_eq!((ran.code, what_to_fix(&ran)), (Some(0), vec![]), "{}", ran.stdout);
    let view = "ok rights are tried as: keyrelay, the user of keyrelay.service; with the files as the running daemon \
                sees them";
    assert!(lines(&ran).iter().any(|line| line == view), "{}", ran.stdout);
    site.wait_status("1 credential, all tested").await;

    // Without its drop-in the unit sees a read-only folder, whoever it belongs to.
    site.sandbox.sh(&format!("rm {DROP_IN}; systemctl daemon-reload; systemctl restart keyrelay")).await;
    let ran = doctor(&site).await;
    let failures = what_to_fix(&ran);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(failures.iter().any(|line| line.contains("the file system is read-only")), "{failures:#?}");
}

#[tokio::test]
async fn a_secret_that_the_unit_does_not_load_is_mended_by_what_is_printed() {
    let Some(mut site) = Site::build().await else { return };
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    site.sandbox.write("/etc/credstore/my-spool", "600", key).await;
    site.config.set("spool.key", json!({"credential": "my-spool"}));
    site.configure().await;
    let ran = doctor(&site).await;
    let failures = what_to_fix(&ran);
    assert_eq!((ran.code, failures.len()), (Some(1), 1), "{}", ran.stdout);
    assert!(failures[0].starts_with(
        "secrets: spool.key: /etc/credstore/my-spool, mode 0600, but the unit does not load it"
    ));
    let typed: Vec<_> = failures[0].split(" $ ").skip(1).map(|line| line.replace("sudo ", "")).collect();
    assert_eq!(typed.len(), 2, "{failures:?}");
    site.sandbox.sh(&typed.join("\n")).await;
    let ran = doctor(&site).await;
    assert_eq!(what_to_fix(&ran), [""; 0], "{}", ran.stdout);
    assert_eq!(site.show("ActiveState").await, "active");
}

#[tokio::test]
async fn the_right_to_restart_a_unit_is_asked_for_as_the_service_and_nothing_is_restarted() {
    let Some(mut site) = Site::build().await else { return };
    site.sandbox
        .write("/etc/systemd/system/shop.service", "644", "[Service]\nExecStart=/bin/sleep infinity\n")
        .await;
    site.sandbox.sh("systemctl daemon-reload; systemctl start shop").await;
    let before = site.sandbox.show("shop.service", "MainPID").await;
    site.config
        .set(&format!("credentials.{NAME}.consumers.shop.deliver.then"), json!({"restart": "shop.service"}));
    site.configure().await;
    let ran = doctor(&site).await;
    let told = format!(
        "consumers: {NAME}/shop restart of shop.service: systemd does not let keyrelay restart shop.service: polkit or \
         its rule is missing, or the rule does not name it (keyrelay policy systemd prints it) $ keyrelay policy systemd"
    );
    assert_eq!((ran.code, what_to_fix(&ran)), (Some(1), vec![told]), "{}", ran.stdout);

    let rule = "polkit.addRule(function(action, subject) { if (action.id == \"org.freedesktop.systemd1.manage-units\" && \
                subject.user == \"keyrelay\" && action.lookup(\"unit\") == \"shop.service\") return polkit.Result.YES; });";
    site.sandbox.write("/etc/polkit-1/rules.d/49-keyrelay.rules", "644", rule).await;
    site.sandbox.sh("systemctl restart polkit").await;
    let ran = doctor(&site).await;
    let allowed = format!("ok {NAME}/shop restart of shop.service: systemd would do it");
    assert!(lines(&ran).contains(&allowed), "{}", ran.stdout);
    assert_eq!(site.sandbox.show("shop.service", "MainPID").await, before, "nothing was restarted");
    assert_eq!(site.sandbox.show(UNIT, "ActiveState").await, "inactive", "and nothing started");
}
