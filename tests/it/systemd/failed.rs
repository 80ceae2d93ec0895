//! keyrelay is down: who hears of it.

use super::site::Site;
use crate::world::SmtpMode;

const FAILED: &str = "keyrelay-failed.service";

#[tokio::test]
async fn a_start_that_only_the_operator_can_mend_is_mailed_and_not_tried_again() {
    let Some(mut site) = Site::build().await else { return };
    site.config.set("credentials.leaf7-main.vendor", "leaf77");
    site.configure().await;
    let start = site.sandbox.run(&["systemctl", "start", "keyrelay"]).await;
    assert_eq!(start.code, Some(1), "{start:?}");
    assert_eq!(site.show("ExecMainStatus").await, "2");
    assert_eq!(site.show("ActiveState").await, "failed");
    assert_eq!(site.show("NRestarts").await, "0");
    let mail = site.servers.smtp.wait_for("keyrelay is down", is_of_failure).await;
    assert!(mail.contains("keyrelay.service is down: it ended with exit code 2"), "{mail}");
    assert!(mail.contains("keyrelay check") && mail.contains("leaf77"), "{mail}");
    site.sandbox.wait_show(FAILED, "ActiveState", |state| state == "inactive").await;
    assert_eq!(site.sandbox.show(FAILED, "Result").await, "success");
    assert_eq!(site.servers.smtp.mails().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_mailed_is_in_the_journal_and_is_mailed_when_the_server_is_back() {
    let Some(mut site) = Site::build().await else { return };
    site.sandbox.drop_in(FAILED, "quick", "[Service]\nRestartSec=200ms\n").await;
    site.config.set("credentials.leaf7-main.vendor", "leaf77");
    site.configure().await;
    site.servers.smtp.set_mode(SmtpMode::Busy);
    site.sandbox.run(&["systemctl", "start", "keyrelay"]).await;
    site.sandbox.said(FAILED, "nobody could be told").await;
    assert_eq!(site.servers.smtp.mails().len(), 0);
    site.servers.smtp.set_mode(SmtpMode::Accept);
    site.servers.smtp.wait_for("keyrelay is down", is_of_failure).await;
    site.sandbox.wait_show(FAILED, "ActiveState", |state| state == "inactive").await;
}

fn is_of_failure(mail: &str) -> bool {
    mail.contains("X-Keyrelay-Code: daemon-down\r\n")
}
