//! Every notice as an operator reads it, out of a little story that brings it about. `docs/alerts.md` shows the same.

use super::{bench::*, stories::gallery, *};
use crate::{
    alert::render,
    domain::{Code, Notice, Severity},
    rotation::{Delivery, Proof},
};

const DOCS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/alerts.md"));

/// Told by somebody else than the core.
const ELSEWHERE: [Code; 2] = [Code::DaemonDown, Code::Bug];

#[test]
fn the_whole_mail_at_three_in_the_morning() {
    let consumers: [&'static str; 5] = ["discord-bot", "nightly-ci", "payments", "storefront", "web-shop"];
    let policy = |name: &&'static str| match *name {
        "payments" => (*name, consumer(Delivery::Copy, false, Proof::ByDelivery)),
        "nightly-ci" => (*name, consumer(Delivery::None, false, Proof::Report { within: 20 * HOUR })),
        _ => (*name, consumer(Delivery::Copy, true, Proof::Asked)),
    };
    let policies: Vec<_> = consumers.iter().map(policy).collect();
    let mut bench = Bench::seeded_with(settings(vec![credential("main", &policies)]));
    bench.world.alive(key(2));
    bench.world.fake("storefront").silent = true;
    bench.world.fake("web-shop").silent = true;
    bench.confirmed(key(2));
    bench.passes(22 * HOUR);
    let urgent =
        |notice: &&Notice| notice.code == Code::ConsumerUnproven && notice.severity == Severity::Urgent;
    let notice = bench.notices.iter().find(urgent).expect("a twelfth of the grace is left");
    let to = ["ops@example.com".to_owned(), "pager@example.com".to_owned()];
    let facts = render::Facts { host: "web1", version: "0.1.0", from: "keyrelay@example.com", to: &to };
    let mail = render::mail(notice, &facts);
    let headers = mail.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
    let head = format!(
        "To: {}\nSubject: {}\nMessage-ID: {}\n{headers}",
        mail.to.join(", "),
        mail.subject,
        mail.message_id
    );
    insta::assert_snapshot!(format!("{head}\n{}", mail.body));
}

#[test]
fn every_notice_reads_like_this() {
    let all = gallery();
    let missing: Vec<_> =
        Code::ALL.iter().filter(|code| !all.contains_key(code) && !ELSEWHERE.contains(code)).collect();
    assert_eq!(missing, Vec::<&Code>::new(), "no story brings these about");
    let text: Vec<_> =
        all.values().map(|notice| format!("## {}\n{}", notice.code, render::text(notice))).collect();
    insta::assert_snapshot!(text.join("\n\n"));
}

#[test]
fn the_documentation_shows_every_notice_as_it_reads() {
    for (code, notice) in gallery() {
        let (_, section) = DOCS
            .split_once(&format!("\n### `{code}`\n"))
            .unwrap_or_else(|| panic!("docs/alerts.md has no section {code}"));
        let section = section.split("\n### ").next().unwrap_or_default();
        let example = render::text(&notice);
        assert!(
            section.contains(&format!("```text\n{example}\n```\n")),
            "docs/alerts.md, {code}: put this in:\n{example}"
        );
    }
}
