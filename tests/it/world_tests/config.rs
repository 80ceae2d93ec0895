//! What the servers say of themselves is a configuration that keyrelay takes, secrets and all.

use crate::world::{Bao, Ca, Config, Daemon, Dovecot, Smtp};
use keyrelay::config::{Mistakes, Need, load};
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn the_servers_pieces_make_a_whole_configuration() {
    let ca = Ca::new();
    let (dovecot, smtp, bao) = tokio::join!(Dovecot::start(&ca), Smtp::start(&ca), Bao::start(&ca));
    let mut config = Config::new();
    config
        .set("store", bao.store(&["vendors/leaf7/main"]).await)
        .set("mailboxes.vendor-mail", dovecot.mailbox())
        .set("alerts", smtp.alerts(&["ops@example.com"]))
        .set("credentials.leaf7-main.vendor", "leaf7")
        .set("credentials.leaf7-main.path", "vendors/leaf7/main")
        .set("credentials.leaf7-main.consumers.ci.prove", json!({"report": {"within": "20h"}}));
    let daemon = Daemon::new(&mut config);
    let environment = BTreeMap::from([("STATE_DIRECTORY".into(), daemon.state_dir().display().to_string())]);
    let load = || load(&daemon.config_path(), &environment, Need::Run);

    let loaded = load().unwrap_or_else(|Mistakes(mistakes)| panic!("{mistakes:?}"));
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.mailboxes.len(), 1);
    assert_eq!(loaded.config.control, daemon.dir().join("control.sock"));
    assert_eq!(loaded.config.credentials.len(), 1);

    config.remove("credentials.leaf7-main.vendor");
    daemon.configure(&mut config);
    let Mistakes(mistakes) = load().unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
}
