use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_251_600); // 2026-11-21T09:00:00Z

#[test]
fn what_systemd_says_becomes_a_sentence() {
    for (result, ended, status, cause) in [
        ("exit-code", Some("exited"), "2", "it ended with exit code 2"),
        ("signal", Some("killed"), "KILL", "it was killed by the signal KILL"),
        ("core-dump", Some("dumped"), "SEGV", "it was killed by the signal SEGV"),
        ("watchdog", Some("dumped"), "ABRT", "it hung, and the watchdog ended it"),
        ("oom-kill", Some("killed"), "KILL", "it needed more memory than it may have, and was killed"),
        ("timeout", None, "unknown", "it did not start or stop in time"),
        (
            "start-limit-hit",
            Some("killed"),
            "ABRT",
            "it crashed again and again, the last time by the signal ABRT",
        ),
        (
            "start-limit-hit",
            Some("exited"),
            "101",
            "it failed again and again, the last time with exit code 101",
        ),
        ("resources", None, "unknown", "systemd says \"resources\""),
    ] {
        let failed = Failed { ended, status, ..failed(result) };
        assert_eq!(failed.cause(), cause);
    }
}

#[test]
fn the_mail_says_what_it_breaks_and_what_to_type() {
    let facts = render::Facts {
        host: "relay-1",
        version: "1.2.3",
        from: "keyrelay@example.com",
        to: &["ops@example.com".into()],
    };
    let mistakes = "config.yaml: store: no key \"vualt\"; did you mean \"vault\"?";
    let mail = render::mail(&failed("exit-code").notice(Some(mistakes), NOW), &facts);
    insta::assert_snapshot!(format!("{}\n{}\n\n{}", mail.subject, mail.message_id, mail.body));
}

#[test]
fn outside_of_systemd_nothing_is_known_to_have_failed() {
    assert!(Failed::from("keyrelay.service", &BTreeMap::new()).is_none());
}

fn failed(result: &str) -> Failed<'_> {
    Failed {
        unit: "keyrelay.service",
        result,
        ended: Some("exited"),
        status: "2",
        invocation: "0123456789abcdef0123456789abcdef",
    }
}
