//! Rotations that end in a service's own process.

use super::host::Host;
use keyrelay::domain::Key;
use serde_json::json;
use sha2::{Digest, Sha256};

const BOT: &str = "EnvironmentFile=-/etc/bot/keyrelay/leaf7.env\nExecStart=/bin/sleep infinity";
/// Its user is made for it at its start; the key comes as a credential.
const VAULTED: &str = "DynamicUser=yes\nLoadCredential=leaf7:/etc/vaulted/keyrelay/leaf7.key\n\
    ExecStart=/bin/sh -c 'exec 3<$CREDENTIALS_DIRECTORY/leaf7; exec /bin/sleep infinity'";
/// Reads its file again at each SIGHUP, as a member of a group, and says what is in it without saying it.
const PROXY: &str = "User=nobody\nGroup=proxies\n\
    ExecStart=/bin/bash -c 'trap \"sha256sum </etc/proxy/keyrelay/leaf7.key\" HUP; while :; do sleep 0.1; done'\n\
    ExecReload=/bin/kill -HUP $MAINPID";

fn consumers() -> serde_json::Value {
    json!({
        "bot": {"deliver": {"file": {"path": "/etc/bot/keyrelay/leaf7.env", "env": "LEAF7_API_KEY"},
            "then": {"restart": "bot"}}},
        "vaulted": {"deliver": {"file": {"path": "/etc/vaulted/keyrelay/leaf7.key"},
            "then": {"restart": "vaulted-by-another-name.service"}}},
        "proxy": {"deliver": {"file": {"path": "/etc/proxy/keyrelay/leaf7.key", "group": "proxies"},
            "then": {"reload": "proxy.service"}}, "prove": "none"},
    })
}

async fn host() -> Option<Host> {
    let host = Host::boot().await?;
    for (name, lines) in [("bot", BOT), ("vaulted", VAULTED), ("proxy", PROXY), ("other", BOT)] {
        host.service(name, lines).await;
    }
    // Whose configuration nobody else may look into.
    host.sandbox.sh("groupadd -r proxies; install -d -m 750 -g proxies /etc/proxy").await;
    let alias = "/etc/systemd/system/vaulted-by-another-name.service";
    host.sandbox.sh(&format!("ln -s vaulted.service {alias}; systemctl daemon-reload")).await;
    host.sandbox.sh("systemctl start proxy").await;
    Some(host)
}

#[tokio::test]
async fn a_rotation_ends_in_the_services_own_processes_with_just_the_rights_that_were_printed() {
    let Some(host) = host().await else { return };
    host.configure(consumers(), "").await;
    for new in [false, true] {
        let proxy = host.pid("proxy").await;
        let key = host.ingest(new).await;
        host.shows("bot", "loaded", &key).await;
        host.shows("vaulted", "loaded", &key).await;
        host.shows("proxy", "working_copy", &key).await;
        assert_eq!(host.variable("bot", "LEAF7_API_KEY").await, key.expose());
        let pid = host.pid("vaulted").await;
        assert_eq!(host.sandbox.sh(&format!("cat /proc/{pid}/fd/3")).await, key.expose());
        host.sandbox.said("proxy", &digest(&key)).await;
        assert_eq!(host.pid("proxy").await, proxy, "a reload keeps the process");
    }

    // A restart of keyrelay restarts nobody.
    let before = (host.pid("bot").await, host.pid("vaulted").await);
    host.sandbox.sh("systemctl restart keyrelay; keyrelay prove").await;
    assert_eq!((host.pid("bot").await, host.pid("vaulted").await), before);

    let folders = "stat -c '%a %U %G' /etc/bot/keyrelay /etc/proxy/keyrelay /etc/proxy";
    let rights = "700 keyrelay keyrelay\n2750 keyrelay proxies\n750 root proxies\n";
    assert_eq!(host.sandbox.sh(folders).await.replace("+", ""), rights);
    for (may, method, unit) in [
        (true, "RestartUnit", "bot.service"),
        (false, "StopUnit", "bot.service"),
        (false, "ReloadUnit", "bot.service"),
        (true, "ReloadUnit", "proxy.service"),
        (false, "RestartUnit", "proxy.service"),
        (false, "RestartUnit", "other.service"),
        (false, "RestartUnit", "keyrelay.service"),
    ] {
        let asked = format!(
            "setpriv --reuid keyrelay --regid keyrelay --clear-groups busctl call org.freedesktop.systemd1 \
             /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager {method} ss {unit} replace"
        );
        let ran = host.sandbox.run(&["sh", "-c", &asked]).await;
        assert_eq!(ran.code == Some(0), may, "{method} {unit}: {ran:?}");
    }
}

#[tokio::test]
async fn without_polkit_units_of_roots_bring_the_services_to_the_new_key() {
    let Some(host) = host().await else { return };
    host.configure(consumers(), "--without-polkit").await;
    let mut without_then = consumers();
    for (_, consumer) in without_then.as_object_mut().expect("consumers") {
        consumer["deliver"].as_object_mut().expect("a delivery").remove("then");
        consumer["prove"] = json!("none");
    }
    host.write_configuration(without_then).await;
    host.sandbox.sh("systemctl restart keyrelay; test ! -e /etc/polkit-1/rules.d/50-keyrelay.rules").await;
    for new in [false, true] {
        let key = host.ingest(new).await;
        host.shows("bot", "working_copy", &key).await;
        crate::world::until("the bot has the key", async || {
            (host.variable("bot", "LEAF7_API_KEY").await == key.expose()).then_some(())
        })
        .await;
        host.sandbox.said("proxy", &digest(&key)).await;
    }
}

fn digest(key: &Key) -> String {
    Sha256::digest(key.expose()).iter().map(|byte| format!("{byte:02x}")).collect()
}
