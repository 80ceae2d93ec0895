//! The unit's memory limit: kept by keyrelay, and enforced by systemd.

use super::site::{INSTALL, Site, UNIT};
use crate::world::{Dovecot, Sandbox};

/// As large as a mail may be that is still read whole.
const MAIL_BYTES: usize = 900 << 10;
const MAILS: usize = 12;

#[tokio::test]
async fn r41_large_mails_do_not_fill_the_memory_and_who_needs_more_than_allowed_is_ended_and_told_of() {
    let Some(sandbox) = Sandbox::boot_limited().await else { return };
    sandbox.sh(INSTALL).await;
    let mut site = Site::in_box(sandbox).await;
    site.sandbox.drop_in(UNIT, "memory", "[Service]\nMemoryMax=64M\n").await;
    for number in 0..MAILS {
        site.servers.dovecot.deliver(&large_mail(number), "INBOX").await;
    }
    site.start().await;
    let key = site.servers.rotate().await;
    site.in_use(&key).await;
    assert_eq!(site.show("NRestarts").await, "0", "the limit was never reached");
    let used: u64 = site.show("MemoryCurrent").await.parse().expect("the limit is counted");
    assert!(used > 1 << 20 && used < 64 << 20, "{used} bytes");

    let too_little = "[Unit]\nStartLimitBurst=3\n[Service]\nMemoryMax=2M\nRestartSec=100ms\n";
    site.sandbox.drop_in(UNIT, "memory", too_little).await;
    let start = site.sandbox.run(&["systemctl", "restart", "keyrelay"]).await;
    assert_eq!(start.code, Some(1), "{start:?}");
    site.sandbox.wait_show(UNIT, "ActiveState", |state| state == "failed").await;
    let mail =
        site.servers.smtp.wait_for("keyrelay is down", |mail| mail.contains("Code: daemon-down\r\n")).await;
    // Where control groups are of the second version it says that memory was the reason.
    assert!(mail.contains("by the signal KILL") || mail.contains("more memory than it may have"), "{mail}");
}

fn large_mail(number: usize) -> Vec<u8> {
    let line = "nothing that anybody has to read, and much of it\r\n";
    let body = line.repeat(MAIL_BYTES / line.len());
    let to = Dovecot::USER;
    format!(
        "From: security@leaf7.fun\r\nTo: {to}\r\nSubject: Your new API key\r\nMessage-ID: <{number}@leaf7.fun>\r\n\
         Date: Sat, 21 Nov 2026 08:00:00 +0000\r\n\r\n{body}"
    )
    .into_bytes()
}
