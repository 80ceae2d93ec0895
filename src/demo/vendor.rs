//! The simulated vendor's life: a warning, a rotation, a confirmation, and again. Its mails are signed, and lie in the
//! maildir as a mail server would leave them.

use super::{
    mails::{self, Fields},
    post::Post,
    scale,
    sign::Signer,
    simulator::{AccountId, Simulator},
    stage::{RECIPIENT, now},
};
use crate::domain::Key;
use std::{fs, io, path::PathBuf, sync::Arc};
use tokio::time::{Instant, interval_at};

#[derive(Clone)]
pub struct Vendor {
    pub simulator: Simulator,
    pub account: AccountId,
    pub signer: Arc<Signer>,
    pub maildir: PathBuf,
    pub post: Post<Mail>,
}

/// Its name in the maildir, and its bytes.
pub type Mail = (String, Arc<[u8]>);

const SENDER: &str = "security@leaf7.fun";

/// Warns, rotates and confirms until the demo ends. The first warning comes soon: newcomers are waiting.
pub async fn live(mut vendor: Vendor) {
    let mut warnings = interval_at(Instant::now() + scale::FIRST_WARNING, scale::CADENCE);
    let mut rotations =
        interval_at(Instant::now() + scale::FIRST_WARNING + scale::NOTICE_BEFORE, scale::CADENCE);
    for round in 0.. {
        warnings.tick().await;
        let old = vendor.simulator.current_key(vendor.account);
        tracing::info!(
            "the vendor mails a warning: it will rotate the key in {} s",
            scale::NOTICE_BEFORE.as_secs()
        );
        vendor.send(round, "warning", |fields| mails::warning(round, fields), &old, &old);
        rotations.tick().await;
        let new = vendor.simulator.rotate(vendor.account, scale::GRACE);
        tracing::info!(
            "the vendor rotates the key, and mails the new one ({}); the old one works on for {} s",
            new.fingerprint(),
            scale::GRACE.as_secs()
        );
        vendor.send(round, "confirmation", |fields| mails::confirmation(round, fields), &new, &old);
    }
}

impl Vendor {
    fn send(
        &mut self,
        round: usize,
        kind: &str,
        text: impl Fn(&Fields<'_>) -> Vec<u8>,
        key: &Key,
        old: &Key,
    ) {
        let fields = Fields { key, old, from: SENDER, to: RECIPIENT, date: now() };
        let mail: Mail = (format!("{round}.{kind}"), self.signer.sign(&text(&fields)).into());
        let arrived = self.post.carry(mail, kind == "warning");
        for (nth, (name, mail)) in arrived.iter().enumerate() {
            if let Err(error) = self.drop_into_maildir(&format!("{name}.{nth}"), mail) {
                tracing::error!("the demo's maildir: {error}");
            }
        }
    }
    /// As maildirs are written: in tmp, then moved to new.
    fn drop_into_maildir(&self, name: &str, mail: &[u8]) -> io::Result<()> {
        let written = self.maildir.join("tmp").join(name);
        fs::write(&written, mail)?;
        fs::rename(written, self.maildir.join("new").join(name))
    }
}
