//! Gmail and Microsoft 365 as they are documented, and as their users report them: greetings, capabilities, logins,
//! words, folders and flags. The real ones were never tried here.

mod words;

use super::{script::mail, *};
use base64::{Engine, engine::general_purpose::STANDARD};

const GMAIL: [&str; 4] = [
    "* OK Gimap ready for requests from 192.0.2.7 5b1f17b1804b1-45a2e7\r\n",
    "CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 \
     AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER",
    "CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE \
     MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584",
    "OK relay@gmail.example authenticated (Success)",
];
const MICROSOFT: [&str; 4] = [
    "* OK The Microsoft Exchange IMAP4 service is ready. [QgBOADAAUABSADAANgBDAEEAMAAwADEA]\r\n",
    "CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
    "CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES \
     CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+",
    "OK AUTHENTICATE completed.",
];
/// What Google says in its second challenge.
const REASON: &str = r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#;

fn with_token(port: u16) -> Settings {
    Settings {
        login: Login::Token(Secret::new("canary-token")),
        folders: vec![],
        ..settings(port, Tls::None)
    }
}

/// The client says its token, in the way that the service prefers.
fn hear_token(peer: &mut Peer, service: [&str; 4]) {
    peer.say(service[0]);
    peer.answer("CAPABILITY", &[service[1]]);
    let (kind, said) = match service[1].contains("OAUTHBEARER") {
        true => ("OAUTHBEARER", "n,a=relay,\x01auth=Bearer canary-token\x01\x01"),
        false => ("XOAUTH2", "user=relay\x01auth=Bearer canary-token\x01\x01"),
    };
    peer.expect(&format!("AUTHENTICATE {kind}"));
    peer.say(if kind == "XOAUTH2" { "+ \r\n" } else { "+\r\n" });
    assert_eq!(STANDARD.decode(peer.hear()).unwrap(), said.as_bytes());
}
fn welcome(peer: &mut Peer, service: [&str; 4]) {
    hear_token(peer, service);
    peer.say(&format!("* {}\r\n", service[2]));
    peer.end(service[3]);
    peer.answer("CAPABILITY", &[service[2]]);
}
fn gmail_folders(peer: &mut Peer) {
    let folders = [
        r#"LIST (\HasNoChildren) "/" "INBOX""#,
        r#"LIST (\HasChildren \Noselect) "/" "[Gmail]""#,
        r#"LIST (\All \HasNoChildren) "/" "[Gmail]/All Mail""#,
        r#"LIST (\HasNoChildren \Junk) "/" "[Gmail]/Spam""#,
        r#"LIST (\HasNoChildren \Trash) "/" "[Gmail]/Trash""#,
    ];
    peer.answer("LIST \"\" \"*\" RETURN (SPECIAL-USE)", &folders);
}
fn microsoft_folders(peer: &mut Peer) {
    let folders = [
        r#"LIST (\Marked \HasNoChildren) "/" INBOX"#,
        r#"LIST (\HasNoChildren \Drafts) "/" Drafts"#,
        r#"LIST (\Marked \HasNoChildren \Junk) "/" "Junk Email""#,
        r#"LIST (\HasNoChildren \Trash) "/" "Deleted Items""#,
    ];
    peer.answer("LIST \"\" \"*\"", &folders);
}
/// As Google answers: one response has no text behind its code.
fn examined(peer: &mut Peer, folder: &str, next: u32) {
    let untagged = [
        r"FLAGS (\Answered \Flagged \Draft \Deleted \Seen $NotPhishing $Phishing)".into(),
        "OK [PERMANENTFLAGS ()] Flags permitted.".into(),
        "OK [UIDVALIDITY 7] UIDs valid.".into(),
        "3 EXISTS".into(),
        "0 RECENT".into(),
        format!("OK [UIDNEXT {next}] Predicted next UID."),
        "OK [HIGHESTMODSEQ 1795251]".into(),
    ];
    peer.expect(&format!("EXAMINE \"{folder}\""));
    untagged.iter().for_each(|line: &String| peer.say(&format!("* {line}\r\n")));
    peer.end(&format!("OK [READ-ONLY] {folder} selected. (Success)"));
}
fn fetched(peer: &mut Peer, uid: u32, text: &str) {
    let fetch = format!("UID FETCH {uid} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.65536>)");
    peer.answer(&fetch, &[&mail(uid, 20, "BODY[]", text)]);
}

#[test]
fn imap14_gmail_is_entered_with_a_token_and_inbox_and_spam_are_watched_but_not_all_mail() {
    let (_played, port) = script::play(|peer| {
        welcome(peer, GMAIL);
        gmail_folders(peer);
        examined(peer, "[Gmail]/Spam", 5);
        peer.found("4");
        fetched(peer, 4, "spam");
        examined(peer, "INBOX", 9);
        peer.found("8");
        fetched(peer, 8, "mail");
        peer.expect("LOGOUT");
        peer.say("* BYE LOGOUT Requested\r\n");
        peer.end("OK 73 good day (Success)");
    });
    let (mut connection, _waker) = connect(&with_token(port), &limits()).unwrap();
    assert_eq!(connection.folders(), ["INBOX", "[Gmail]/Spam"]);
    let look = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!(seen(&look), ["7/4 [Gmail]/Spam spam", "7/8 INBOX mail"]);
    assert_eq!(look.mails.iter().map(|mail| mail.junk).collect::<Vec<_>>(), [true, false]);
    connection.close();
}

#[test]
fn imap11_microsoft_365_is_entered_with_a_token_and_its_junk_folder_is_found_without_extensions() {
    let (_played, port) = script::play(|peer| {
        welcome(peer, MICROSOFT);
        microsoft_folders(peer);
        examined(peer, "Junk Email", 5);
        peer.found("");
        examined(peer, "INBOX", 9);
        peer.found("8");
        fetched(peer, 8, "mail");
    });
    let (mut connection, _waker) = connect(&with_token(port), &limits()).unwrap();
    let look = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!(seen(&look), ["7/8 INBOX mail"]);
    assert_eq!(
        (connection.folders(), look.mails[0].junk),
        (vec!["INBOX".into(), "Junk Email".into()], false)
    );
}

#[test]
fn imap14_folders_that_were_named_are_watched_and_the_one_for_junk_is_known_among_them() {
    for (named, junk) in [(["INBOX", "[Gmail]/Spam"], true), (["INBOX", "[Gmail]/All Mail"], false)] {
        let (_played, port) = script::play(move |peer| {
            welcome(peer, GMAIL);
            gmail_folders(peer);
            examined(peer, named[1], 9);
            peer.found("8");
            fetched(peer, 8, "mail");
            examined(peer, "INBOX", 9);
            peer.found("");
        });
        let folders = named.map(str::to_owned).to_vec();
        let (mut connection, _waker) = connect(&Settings { folders, ..with_token(port) }, &limits()).unwrap();
        let look = connection.look(&search(1 << 20), Folders::All).unwrap();
        assert_eq!(look.mails.iter().map(|mail| mail.junk).collect::<Vec<_>>(), [junk]);
    }
}

/// What becomes of a token that the service answers with its reason and `no`; what the client says in between.
fn refused_token(service: [&'static str; 4], answer: &'static str, no: &'static str) -> String {
    let (_played, port) = script::play(move |peer| {
        hear_token(peer, service);
        peer.say(&format!("+ {}\r\n", STANDARD.encode(REASON)));
        assert_eq!(peer.hear(), answer);
        peer.end(no);
        peer.expect_end();
    });
    refused(connect(&with_token(port), &limits()))
}

#[test]
fn imap14_a_refused_token_s_second_challenge_is_answered_so_that_nobody_hangs() {
    let hint = "check user and scope, and whether this application may open that mailbox over IMAP";
    assert_eq!(
        refused_token(GMAIL, "AQ==", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
        format!(
            "localhost refuses the access token for relay: [AUTHENTICATIONFAILED] Invalid credentials (Failure) \
             (status 400); {hint}"
        )
    );
    assert_eq!(
        refused_token(MICROSOFT, "", "NO AUTHENTICATE failed."),
        format!("localhost refuses the access token for relay: AUTHENTICATE failed. (status 400); {hint}")
    );
    assert_eq!(
        refused_token(MICROSOFT, "", "NO you said canary-token"),
        format!(
            "localhost refuses the access token for relay: (its words hold the password, and are not shown) (status \
             400); {hint}"
        )
    );
}

#[test]
fn a_service_that_takes_no_token_is_not_shown_one() {
    let (_played, port) = script::play(|peer| {
        peer.say("* OK ready\r\n");
        peer.answer("CAPABILITY", &["CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN"]);
        peer.expect_end();
    });
    assert_eq!(
        refused(connect(&with_token(port), &limits())),
        "localhost takes no access token (it offers neither AUTH=OAUTHBEARER nor AUTH=XOAUTH2); write password in \
         place of oauth2"
    );
}

/// Gmail lets 2,500 MB out in a day. Here are twelve mails of 5 KB, and one with attachments of 20 MB; the server
/// counts what it says.
#[test]
fn imap10_a_day_of_reconnects_as_fast_as_they_may_come_stays_below_gmails_day_budget() {
    let spoken = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let said = spoken.clone();
    let (_played, port) = script::play(move |peer| {
        let count = |peer: &Peer| said.lock().unwrap().push(peer.said);
        welcome(peer, GMAIL);
        gmail_folders(peer);
        for round in 0..2 {
            examined(peer, "[Gmail]/Spam", 5);
            peer.found("");
            examined(peer, "INBOX", 14);
            peer.found("1 2 3 4 5 6 7 8 9 10 11 12 13");
            match round {
                0 => thirteen(peer),
                _ => the_same_thirteen(peer),
            }
            count(peer);
        }
    });
    let (mut connection, _waker) = connect(&with_token(port), &limits()).unwrap();
    let look = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!((look.mails.len(), look.mails.iter().filter(|mail| mail.header_only).count()), (13, 1));
    let poll = connection.look(&search(1 << 20), Folders::All).unwrap();
    assert_eq!(poll.mails.len(), 0, "nothing is fetched twice");
    drop(connection);
    drop(_played);
    let [reconnect, both] = spoken.lock().unwrap()[..] else { panic!() };
    let poll = both - reconnect;
    println!("a connection and its first look: {reconnect} bytes; a poll: {poll} bytes");
    let (of_the_large, of_the_small) = (65_536 + 1_000, 12 * (5_000 + 200));
    assert!(reconnect < of_the_large + of_the_small + 4_096 && poll < 3_000, "{reconnect} {poll}");
    let limits = Limits::default();
    let minutes = 24 * 60;
    assert!(
        minutes * (limits.mailbox_reopens as usize * reconnect + poll) < 2_500_000_000,
        "{reconnect} {poll}"
    );
}

/// Whether they are what they were: a folder that was opened anew may be another one.
fn the_same_thirteen(peer: &mut Peer) {
    let set = (1..=13).map(|uid: u32| uid.to_string()).collect::<Vec<_>>().join(",");
    peer.expect(&format!("UID FETCH {set} (UID INTERNALDATE RFC822.SIZE)"));
    for uid in 1..=13 {
        let size = if uid == 13 { 20_000_000 } else { 5_000 };
        let date = "20-Nov-2026 09:00:00 +0100";
        peer.say(&format!("* {uid} FETCH (UID {uid} INTERNALDATE \"{date}\" RFC822.SIZE {size})\r\n"));
    }
    peer.end("OK Success");
}

/// The newest is the large one.
fn thirteen(peer: &mut Peer) {
    let (large, header) = ("x".repeat(65_536), "From: a\r\n".repeat(100) + "\r\n");
    let set = (1..=13).rev().map(|uid: u32| uid.to_string()).collect::<Vec<_>>().join(",");
    peer.expect(&format!("UID FETCH {set} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.65536>)"));
    peer.say(&format!("* {}\r\n", script::sized_mail(13, 20, 20_000_000, "BODY[]", &large)));
    for uid in 1..=12 {
        peer.say(&format!("* {}\r\n", mail(uid, 20, "BODY[]", &"x".repeat(5_000))));
    }
    peer.end("OK Success");
    let header = script::sized_mail(13, 20, 20_000_000, "BODY[HEADER]", &header);
    peer.answer("UID FETCH 13 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.1048576>)", &[&header]);
}
