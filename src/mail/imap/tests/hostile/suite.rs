//! The 69 kinds of the published suite (Poddebniak, Ising, Böck, Schinzel: "Why TLS is better without STARTTLS",
//! 2021; the IMAP test cases of its fake mail server, its plain set-ups aside), each played against us. A kind that has
//! variants is played in each of them. What is said in clear bears a mark that must be seen nowhere.

use super::{
    server::{CAPABILITY, EXAMINE, GREETING, LOGIN, STARTTLS},
    *,
};
use std::collections::BTreeSet;

/// The end of a case that did no harm: the mail was fetched over TLS, as if nothing had been said before it.
const CALM: [&str; 1] = ["7/4 INBOX genuine"];
const NO_TLS: &str = "unreachable: localhost: the server refuses STARTTLS; no password was sent";
const BROKEN: &str = "unreachable: localhost: more came with the answer to STARTTLS, as if somebody were in between; \
    no password was sent";
const NO_IMAP: &str = "unreachable: localhost: this is no IMAP server";
const PREAUTH: &str =
    "unreachable: localhost: the server says that we are logged in already (PREAUTH), which nobody asked for";
const STRANGER: &str =
    "unreachable: localhost: no TLS: its certificate is for attacker.example.org, not for this name";
const TURNED_AWAY: &str = "unreachable: localhost: the server turns us away";
const SILENT: &str = "unreachable: localhost: no TLS: no answer within 0.5 s";

const POLITE: &str = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] SPOOF\r\n";

fn kind(kind: &'static str, what: &str) -> Case {
    case(&format!("{kind}: {what}")).kind(kind)
}

/// STARTTLS is hidden, or refused: D_* and O_*, and what else is refused with BAD.
fn downgrades() -> Vec<Case> {
    let refused = |name, what, greeting: &str, answer: &str| {
        kind(name, what).at(GREETING, greeting).at(STARTTLS, answer).expect(&[NO_TLS])
    };
    let plain = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN] SPOOF\r\n";
    let offered = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN] SPOOF\r\n";
    let bare = "* OK SPOOF\r\n";
    let unknown = "<tag> BAD unknown command SPOOF\r\n";
    let everything =
        ["ANONYMOUS", "CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "GSSAPI", "LOGIN", "NTLM", "OAUTHBEARER"]
            .into_iter()
            .chain([
                "PLAIN",
                "PLAIN-CLIENTTOKEN",
                "SCRAM-SHA-1",
                "SCRAM-SHA-256-PLUS",
                "SKEY",
                "XOAUTH2",
                "X-SPOOF",
            ])
            .map(|how| format!(" AUTH={how}"))
            .collect::<String>();
    let everything = format!("* OK [CAPABILITY IMAP4rev1{everything}] SPOOF\r\n");
    let utf8 = "* OK [CAPABILITY IMAP4rev1 UTF8=ONLY ENABLE] SPOOF\r\n";
    vec![
        refused("D_1", "neither CAPABILITY nor STARTTLS is known", bare, unknown),
        refused(
            "D_2",
            "an IMAP4 of before STARTTLS, in the greeting",
            "* OK [CAPABILITY IMAP4] SPOOF\r\n",
            unknown,
        ),
        refused("D_3", "an IMAP4 of before STARTTLS", bare, unknown),
        refused("O_1", "not offered, and refused with BAD", plain, "<tag> BAD STARTTLS SPOOF\r\n"),
        refused("O_2", "offered, and refused with NO", offered, "<tag> NO not now SPOOF\r\n"),
        refused("O_3", "offered, and refused with BAD", offered, "<tag> BAD not now SPOOF\r\n"),
        refused("O_4", "offered, and answered with a continuation", offered, "+ go on SPOOF\r\n"),
        refused("X_1", "every way to log in but STARTTLS", &everything, unknown),
        refused("stripping_drafts", "stripped, for the drafts that are then sent", plain, unknown),
        refused("utf8_only_1", "only UTF-8, and no STARTTLS", utf8, unknown),
    ]
}

/// PREAUTH in clear (P_*), whatever it offers beside, and the referral that comes with it (M_1_A).
fn logged_in_already() -> Vec<Case> {
    let preauth = |name, capabilities: &str| {
        let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1{capabilities}] SPOOF\r\n");
        kind(name, "logged in already").at(GREETING, greeting).expect(&[PREAUTH])
    };
    vec![
        preauth("P", " STARTTLS LOGINDISABLED"),
        preauth("P_1", ""),
        preauth("P_2", " AUTH=PLAIN AUTH=LOGIN"),
        preauth("P_3", " STARTTLS AUTH=PLAIN AUTH=LOGIN"),
        preauth("P_4", " AUTH=PLAIN AUTH=LOGIN X-SPOOF"),
        preauth("P_5", " STARTTLS AUTH=PLAIN AUTH=LOGIN X-SPOOF"),
        preauth("M_1_A", " MAILBOX-REFERRALS"),
        kind("04_greeting_preauth", "without capabilities")
            .at(GREETING, "* PREAUTH SPOOF\r\n")
            .expect(&[PREAUTH]),
    ]
}

/// Referrals to another server (L_*, M_*, protocol_state): never followed; and the server that they lead to.
fn referrals() -> Vec<Case> {
    let there = |name, what, greeting: &str| {
        kind(name, what).way(Way::StartTlsAtAStranger).at(GREETING, greeting).expect(&[STRANGER])
    };
    let offered = "* OK [CAPABILITY IMAP4rev1 MAILBOX-REFERRALS STARTTLS] SPOOF\r\n";
    vec![
        kind("L_1_A", "LOGIN is referred")
            .at(CAPABILITY, "* CAPABILITY IMAP4rev1 LOGIN-REFERRALS\r\n<tag> OK done\r\n")
            .at(LOGIN, "<tag> NO [REFERRAL IMAP://;AUTH=*@localhost:<trap>/] try another server\r\n")
            .expect(&["refused: localhost refers the login of relay to another server, which is never asked: [REFERRAL IMAP://;AUTH=*@localhost:TRAP/] try another server; name that one as host if it is to be trusted"]),
        kind("L_1_A", "LOGIN is granted, and referred")
            .at(LOGIN, "<tag> OK [REFERRAL IMAP://;AUTH=*@localhost:<trap>/] or try another server\r\n")
            .expect(&CALM),
        there("L_1_B", "where LOGIN is referred to", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] SPOOF\r\n"),
        there("M_1_B", "where a PREAUTH is referred to", POLITE),
        kind("M_2_A", "EXAMINE is referred")
            .at(GREETING, offered)
            .at(EXAMINE, "<tag> NO [REFERRAL IMAP://;AUTH=*@localhost:<trap>/inbox] failed\r\n")
            .expect(&["unreachable: localhost: EXAMINE \"INBOX\" is refused: [REFERRAL IMAP://;AUTH=*@localhost:TRAP/inbox] failed"]),
        there("M_2_B", "where EXAMINE is referred to", offered),
        kind("protocol_state/01_referral", "before STARTTLS")
            .at(GREETING, format!("{POLITE}* OK [REFERRAL imaps://localhost:<trap>] SPOOF\r\n"))
            .expect(&CALM),
    ]
}

/// What is told before anybody has logged in, after the greeting and before STARTTLS is answered: 20 kinds.
fn untagged() -> Vec<Case> {
    const MAIL: &str = "* 1 FETCH (BODY[] {25}\r\nFrom: SPOOF\r\n\r\nInjected\r\n)\r\n";
    let said: [(&str, [&str; 2], &str); 10] = [
        ("LIST", ["after_greeting/01_list", "before_starttls/01_list"], "* LIST (\\Junk) \"/\" SPOOF\r\n"),
        ("LSUB", ["after_greeting/02_lsub", "before_starttls/02_lsub"], "* LSUB () \"/\" SPOOF\r\n"),
        (
            "STATUS of a folder",
            ["after_greeting/03_status_1", "before_starttls/03_status_1"],
            "* STATUS SPOOF (MESSAGES 529001 UIDNEXT 529003 UIDVALIDITY 529005)\r\n",
        ),
        (
            "STATUS of INBOX",
            ["after_greeting/03_status_2", "before_starttls/03_status_2"],
            "* STATUS INBOX (MESSAGES 718001 UIDNEXT 718003 UIDVALIDITY 718005)\r\n",
        ),
        ("SEARCH", ["after_greeting/04_search", "before_starttls/04_search"], "* SEARCH 1 2 999\r\n"),
        ("FLAGS", ["after_greeting/05_flags", "before_starttls/05_flags"], "* FLAGS (\\Seen SPOOF)\r\n"),
        ("EXISTS", ["after_greeting/06_exists", "before_starttls/06_exists"], "* 23 EXISTS\r\n"),
        ("RECENT", ["after_greeting/07_recent", "before_starttls/07_recent"], "* 5 RECENT\r\n"),
        ("EXPUNGE", ["after_greeting/08_expunge", "before_starttls/08_expunge"], "* 1 EXPUNGE\r\n"),
        ("FETCH", ["after_greeting/09_fetch", "before_starttls/09_fetch"], MAIL),
    ];
    let mut cases = Vec::new();
    for (what, [after_greeting, before_starttls], untagged) in said {
        // A mail's lines begin as no answer does.
        let expected = if what == "FETCH" { [NO_TLS] } else { CALM };
        let greeting = format!("{POLITE}{untagged}");
        cases.push(kind(after_greeting, what).at(GREETING, greeting).expect(&expected));
        let answer = format!("{untagged}<tag> OK begin\r\n");
        cases.push(kind(before_starttls, what).at(GREETING, POLITE).at(STARTTLS, answer).expect(&expected));
    }
    let more = [
        ("untagged_capability_after_greeting", "* CAPABILITY IMAP4rev1 X-SPOOF IDLE\r\n", ""),
        ("untagged_capability_before_starttls", "", "* CAPABILITY IMAP4rev1 X-SPOOF IDLE\r\n"),
        ("list_injection_expunge", "* LIST () \"/\" \"Click me! SPOOF\"\r\n", ""),
        ("imapsieve_1", "* CAPABILITY IMAP4rev1 IMAPSIEVE=sieve://SPOOF\r\n", ""),
        ("utf8_only_2", "* CAPABILITY IMAP4rev1 UTF8=ONLY ENABLE STARTTLS X-SPOOF\r\n", ""),
        ("starttls/ok/01_alert", "", "* OK [ALERT] SPOOF\r\n"),
    ];
    cases.extend(more.map(|(name, first, then)| {
        let answer = format!("{then}<tag> OK begin\r\n");
        kind(name, "ignored").at(GREETING, format!("{POLITE}{first}")).at(STARTTLS, answer).expect(&CALM)
    }));
    cases
}

/// Greetings in every form, with words for the user in them.
fn greetings() -> Vec<Case> {
    let greeted = |name, greeting: &str, expected: &[&str]| {
        kind(name, greeting.trim_end()).at(GREETING, greeting).expect(expected)
    };
    vec![
        greeted("greeting/ok/01_alert", "* OK [ALERT] SPOOF\r\n", &CALM),
        greeted("greeting/ok/02_badcharset", "* OK [BADCHARSET (SPOOF)] SPOOF\r\n", &CALM),
        greeted("greeting/ok/03_parse", "* OK [PARSE] SPOOF\r\n", &CALM),
        greeted("greeting/no/01_alert", "* NO [ALERT] SPOOF\r\n", &[NO_IMAP]),
        greeted("greeting/no/02_badcharset", "* NO [BADCHARSET (SPOOF)] SPOOF\r\n", &[NO_IMAP]),
        greeted("greeting/no/03_parse", "* NO [PARSE] SPOOF\r\n", &[NO_IMAP]),
        greeted("01_greeting_ok", "* OK SPOOF\r\n", &CALM),
        greeted("02_greeting_no", "* NO SPOOF\r\n", &[NO_IMAP]),
        greeted("03_greeting_bad", "* BAD SPOOF\r\n", &[NO_IMAP]),
        greeted("05_greeting_bye", "* BYE SPOOF\r\n", &[TURNED_AWAY]),
        greeted("01_greeting_invalid", "1Gdo00V4 SPOOF\r\n", &[NO_IMAP]),
        greeted("02_greeting_invalid_ok", "wFaIW2WP SPOOF\r\n* OK SPOOF\r\n", &[NO_IMAP]),
        greeted("03_greeting_invalid_invalid_ok", "wbaD SPOOF\r\nPPV3 SPOOF\r\n* OK SPOOF\r\n", &[NO_IMAP]),
        greeted("greeting_tagged", "XYZ OK SPOOF\r\n", &[NO_IMAP]),
        kind("balsa_issue_48", "CAPABILITY is not known")
            .at(CAPABILITY, "<tag> BAD unknown command\r\n")
            .expect(&["unreachable: localhost: CAPABILITY: unknown command"]),
    ]
}

/// What comes with the answer to STARTTLS, or before it was asked for: it must not be taken for what comes after.
fn buffering() -> Vec<Case> {
    let suffix = |name, what, after: &str| {
        kind(name, what)
            .at(GREETING, POLITE)
            .at(STARTTLS, format!("<tag> OK begin\r\n{after}"))
            .expect(&[BROKEN])
    };
    let answered = "* CAPABILITY IMAP4rev1 X-SPOOF\r\na1 OK SPOOF\r\n";
    vec![
        suffix("B_1", "CAPABILITY is answered before it is asked", answered),
        kind("B_2", "an alert before the answer")
            .at(GREETING, POLITE)
            .at(STARTTLS, "* OK [ALERT] SPOOF\r\n<tag> OK begin\r\n")
            .expect(&CALM),
        suffix("B_2", "an alert behind the answer", "* OK [ALERT] SPOOF\r\n"),
        kind("B_2", "an alert in TLS, unasked")
            .at(CAPABILITY, "* OK [ALERT] behind TLS\r\n<polite>")
            .expect(&CALM),
        suffix("B_3", "BYE behind the answer", "* BYE SPOOF\r\n"),
        kind("reorder", "STARTTLS is answered before it is asked for")
            .at(GREETING, format!("{POLITE}s1 OK SPOOF\r\n"))
            .then(STARTTLS, "", Then::Silence)
            .expect(&[SILENT]),
    ]
}

fn all() -> Vec<Case> {
    [downgrades(), logged_in_already(), referrals(), untagged(), greetings(), buffering()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn r22_r23_r24_r25_m52_m53_m54_m55_m56_m57_every_kind_of_the_no_starttls_suite_does_no_harm() {
    let stage = Stage::new();
    let control = stage.play(&case("nothing is wrong").way(Way::StartTls).expect(&CALM));
    let cases = all();
    let kinds: BTreeSet<_> = cases.iter().filter_map(|case| case.kind).collect();
    for case in &cases {
        let commands = stage.play(case);
        // What is asked after TLS is the same as if nothing had been said before it.
        if case.expected == CALM {
            assert_eq!(commands, control, "{}", case.name);
        }
    }
    stage.judge();
    println!("NO STARTTLS suite: {} kinds in {} cases", kinds.len(), cases.len());
    assert_eq!(kinds.len(), 69);
}
