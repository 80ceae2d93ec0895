//! What the simulation feeds the core as findings is what becomes of real mails, signed and judged here.

use super::*;
use crate::{
    demo::mails::{CONFIRMATIONS, WARNINGS},
    sim::world::{Mail, MailKind, finding, key, mail_id},
};

/// A finding's kind, whether it is genuine, and how long before its arrival it is dated, and its rotation was.
type Told = (Outcome, Option<bool>, Option<i64>, Option<i64>);

fn told(finding: &Finding) -> Told {
    let kind = outcome(finding).0;
    let before = |mail: &MailRef, at: Timestamp| Some(mail.arrived_at.as_secs() - at.as_secs());
    match finding {
        Finding::NewKey(found) | Finding::Held { confirmation: found, .. } => {
            (kind, None, before(&found.mail, found.dated), before(&found.mail, found.rotated_at))
        }
        Finding::Warning(warning) => (kind, None, before(&warning.mail, warning.dated), None),
        Finding::Known { mail, dated, genuine, .. } => (kind, Some(*genuine), before(mail, *dated), None),
        Finding::Unparsed { mail, dated, .. } => (kind, None, before(mail, *dated), None),
        Finding::Wait { .. } | Finding::Suspicious { .. } | Finding::NotOurs { .. } => {
            (kind, None, None, None)
        }
    }
}

fn real(kind: MailKind, is_known: bool, is_done: bool, dns_away: bool) -> Told {
    let mut world = World::new();
    let confirmation = world.fill(CONFIRMATIONS[0].1);
    let changed = |from: &str, to: &str, bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains(from), "{from:?} is in the mail");
        text.replace(from, to).into_bytes()
    };
    let secret = world.key.expose().to_owned();
    let mail = match kind {
        MailKind::Warning => world.signer.sign(&world.fill(WARNINGS[0].1)),
        MailKind::Confirmation { signed: true, .. } => world.signer.sign(&confirmation),
        MailKind::Confirmation { signed: false, .. } => confirmation,
        MailKind::Forged => changed(&secret, &secret.replace('f', "e"), &world.signer.sign(&confirmation)),
        MailKind::Unread => world.signer.sign(&changed(&secret, "in your dashboard", &confirmation)),
    };
    if is_done {
        let id = world.recognise(&mail).finding;
        let id = rules::id(&id).clone();
        world.done.insert(id);
    }
    if is_known {
        world.known.insert(world.key.fingerprint());
    }
    if dns_away {
        let name = world.signer.txt_record().0;
        world.answers.insert(name, TxtAnswer::Trouble("no answer".into()));
    }
    told(&world.recognise(&mail).finding)
}

fn simulated(kind: MailKind, is_known: bool, is_done: bool, dns_away: bool) -> Told {
    let mail = Mail { kind, dated: 0, arrived: 10_000, junk: false, gone: false };
    let known = is_known.then(|| key(2)).into_iter().collect();
    let done = is_done.then(|| mail_id(0)).into_iter().collect();
    told(&finding(0, &mail, 7, &known, &done, dns_away))
}

#[test]
fn the_simulations_findings_are_what_becomes_of_real_mails() {
    let kinds = [
        MailKind::Warning,
        MailKind::Confirmation { key: 2, signed: true },
        MailKind::Confirmation { key: 2, signed: false },
        MailKind::Forged,
        MailKind::Unread,
    ];
    let mut apart = Vec::new();
    for kind in kinds {
        for case in 0..8 {
            let (known, done, away) = (case & 1 > 0, case & 2 > 0, case & 4 > 0);
            let (real, simulated) = (real(kind, known, done, away), simulated(kind, known, done, away));
            if real != simulated {
                apart.push(format!("{kind:?}, known: {known}, done: {done}, DNS away: {away}: {real:?}, and here {simulated:?}"));
            }
        }
    }
    assert!(apart.is_empty(), "{}", apart.join("\n"));
}
