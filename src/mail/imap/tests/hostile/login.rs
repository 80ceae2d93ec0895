//! A refused login told apart from a server's or a network's fault, in every form that servers use.

use super::{
    lines::CALM,
    server::{AUTHENTICATE, CAPABILITY, LOGIN, OTHER},
    *,
};

/// It is the operator's: what is told, with the server's words.
fn refused(words: &str) -> Vec<String> {
    vec![format!(
        "refused: localhost refuses the login of relay: {words}; \
         check user and password, and whether this account may use IMAP"
    )]
}

/// It is nobody's, or the server's: it is tried again.
fn later(words: &str) -> Vec<String> {
    vec![format!("unreachable: localhost: no login at the moment: {words}")]
}

/// It is over after a while, if nobody hurries.
fn crowded(words: &str) -> Vec<String> {
    let hint = "what else reads this mailbox, with how many connections?";
    vec![format!("busy: localhost: no login at the moment: {words}; {hint}")]
}
fn not_connected(words: &str) -> Vec<String> {
    vec![format!(
        "busy: localhost: the login of relay is known, but its mailbox is not reached: {words}; as a rule this passes; \
         if not: is there a mailbox with a licence, is IMAP switched on for it, and may this application open it?"
    )]
}

fn lost(why: &str) -> Vec<String> {
    vec![format!("unreachable: localhost: {why}")]
}

pub(super) fn cases() -> Vec<Case> {
    let said = |said: &str, expected: Vec<String>| {
        Case { expected, ..case(&format!("LOGIN is answered {said:?}")) }.at(LOGIN, format!("{said}\r\n"))
    };
    let no =
        |words: &str, expected: fn(&str) -> Vec<String>| said(&format!("<tag> NO {words}"), expected(words));
    let withheld = "(its words hold the password, and are not shown)";
    let mut cases = vec![
        no("LOGIN failed.", refused),
        no("[AUTHENTICATIONFAILED] Authentication failed.", refused),
        no("[AUTHENTICATIONFAILED] LOGIN temporarily invalid credentials", refused),
        no("[AUTHORIZATIONFAILED] no such mailbox", refused),
        no("[EXPIRED] the password is too old", refused),
        no("[PRIVACYREQUIRED] use TLS", refused),
        no("[CONTACTADMIN] blocked", refused),
        no("[NOPERM] IMAP is off for this account", refused),
        no("[CLIENTBUG] what do you want", refused),
        no("[X-UNKNOWN] no", refused),
        no("Logins are disabled for this protocol", refused),
        no("[UNAVAILABLE] Temporary authentication failure.", later),
        no("[unavailable] the directory is down", later),
        no("[INUSE] locked", later),
        no("[LIMIT] Too many connections", crowded),
        no("[SERVERBUG] Internal error", later),
        no("[CORRUPTION] the index is broken", later),
        no("Temporary problem, please try again later", later),
        no("Backend unavailable", later),
        no("User is authenticated but not connected.", not_connected),
        said("<tag> NO", refused("no explanation given")),
        said("<tag> NO [ALERT] Use an app password", refused("Use an app password")),
        said("<tag> NO [ALERT] \x1b]0;title\x07 use another", refused("]0;title  use another")),
        said("<tag> NO canary is wrong", refused(withheld)),
        said("<tag> NO AHJlbGF5AGNhbmFyeQ== is wrong", refused(withheld)),
        said("<tag> NO Y2FuYXJ5 is wrong", refused(withheld)),
        said("<tag> BAD canary is no command", lost(&format!("LOGIN: {withheld}"))),
        said("* BYE canary", lost(&format!("the server took its leave: {withheld}"))),
        said("<tag> BAD Command Argument Error. 12", lost("LOGIN: Command Argument Error. 12")),
        said(
            "<tag> BAD User is authenticated but not connected.",
            not_connected("User is authenticated but not connected."),
        ),
        said("* BYE Autologout\r\n<tag> NO Login failed.", refused("Login failed.")),
        said("+ more", lost("LOGIN: no answer within 0.5 s")),
        said("<tag> OK [CAPABILITY IMAP4rev1 X-NEW] in", CALM.map(str::to_owned).to_vec()),
        said(
            "* CAPABILITY IMAP4rev1\r\n* 9 EXISTS\r\n* OK [ALERT] hello\r\n<tag> OK in",
            CALM.map(str::to_owned).to_vec(),
        ),
    ];
    for case in &mut cases {
        if case.name.contains("BYE canary") {
            case.twists[0].then = Then::Close;
        }
        case.silent = case.name.contains("+ more");
    }
    cases.extend(plain());
    cases
}

/// LOGIN is off, and AUTHENTICATE PLAIN is not: its one challenge gets one answer.
fn plain() -> Vec<Case> {
    let can = "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\r\n<tag> OK\r\n";
    let plain = |what: &str, challenges: &str, end: &str| {
        case(&format!("PLAIN: {what}")).at(CAPABILITY, can).at(AUTHENTICATE, challenges).at(OTHER, end)
    };
    let no_imap = lost("LOGIN: its answer is no IMAP");
    let ends = |expected, case| Case { expected, ..case };
    vec![
        plain("in", "+ \r\n", "a2 OK in\r\n").expect(&CALM),
        ends(
            refused("[AUTHENTICATIONFAILED] no"),
            plain("refused", "+\r\n", "a2 NO [AUTHENTICATIONFAILED] no\r\n"),
        ),
        ends(no_imap.clone(), plain("asked again and again", "+ \r\n", "+ eyJhIjoxfQ==\r\n")),
        ends(no_imap, plain("a challenge that is no base64", "+ %%%\r\n", "")),
        ends(
            later("[UNAVAILABLE] later"),
            plain("refused before it was asked", "<tag> NO [UNAVAILABLE] later\r\n", ""),
        ),
    ]
}
