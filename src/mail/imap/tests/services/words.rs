//! What the two services say when they let nobody in, or no longer, and what operators read of it.

use super::{super::*, *};

/// What becomes of a password login that a service ends with `status`.
fn with_password(service: [&'static str; 4], status: &'static str) -> Result<(), MailboxTrouble> {
    let (_played, port) = script::play(move |peer| {
        peer.say(service[0]);
        peer.answer("CAPABILITY", &[service[1]]);
        peer.expect("LOGIN \"relay\" \"canary\"");
        peer.end(status);
        peer.expect_end();
    });
    connect(&settings(port, Tls::None), &limits()).map(drop)
}

#[test]
fn imap11_a_password_at_microsoft_365_is_told_that_basic_authentication_is_disabled() {
    let told = |words: &str| {
        format!(
            "localhost refuses the login of relay: {words}; basic authentication is disabled there: no password lets \
             in any more; write oauth2 in place of password"
        )
    };
    for words in ["LOGIN failed.", "AUTHENTICATE failed."] {
        let status: &'static str =
            if words.starts_with('L') { "NO LOGIN failed." } else { "NO AUTHENTICATE failed." };
        assert_eq!(refused(with_password(MICROSOFT, status)), told(words));
    }
    let blocked = "[AUTHENTICATIONFAILED] Basic Authentication is disabled";
    let status = "NO [AUTHENTICATIONFAILED] Basic Authentication is disabled";
    assert_eq!(refused(with_password(GMAIL, status)), told(blocked));
    // The same words of a server that knows nothing but passwords are a wrong password.
    let plain = ["* OK ready\r\n", "CAPABILITY IMAP4rev1", "", ""];
    let why = refused(with_password(plain, "NO LOGIN failed."));
    assert!(
        why.ends_with("LOGIN failed.; check user and password, and whether this account may use IMAP"),
        "{why}"
    );
}

#[test]
fn imap10_what_gmail_wants_of_a_person_is_told_with_what_to_do() {
    for (status, hint) in [
        (
            "NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)",
            "log in once with a web browser, from this machine's network, and confirm that it was you",
        ),
        (
            "NO [WEBALERT https://accounts.google.com/signin/continue] Web login required. (Failure)",
            "log in once with a web browser, from this machine's network, and confirm that it was you",
        ),
        (
            "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
            "make an application-specific password for keyrelay, or write oauth2 in place of password",
        ),
        (
            "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
            "check user and password, and whether this account may use IMAP",
        ),
        (
            "NO [ALERT] Invalid credentials (Failure)",
            "check user and password, and whether this account may use IMAP",
        ),
    ] {
        let words = status.strip_prefix("NO ").unwrap();
        let words = words.strip_prefix("[ALERT] ").unwrap_or(words);
        assert_eq!(
            refused(with_password(GMAIL, status)),
            format!("localhost refuses the login of relay: {words}; {hint}")
        );
    }
}

fn busy<T>(result: Result<T, MailboxTrouble>) -> String {
    match result {
        Err(MailboxTrouble::Busy(why)) => without_port(&why),
        Err(other) => panic!("not busy: {other:?}"),
        Ok(_) => panic!("it worked"),
    }
}

#[test]
fn r34_imap10_a_full_house_or_a_spent_budget_is_no_wrong_password() {
    let hint = "what else reads this mailbox, with how many connections?";
    for status in [
        "NO [ALERT] Too many simultaneous connections. (Failure)",
        "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
        "NO [LIMIT] Maximum number of connections from user+IP exceeded",
    ] {
        let words = status.strip_prefix("NO ").unwrap();
        let words = words.strip_prefix("[ALERT] ").unwrap_or(words);
        assert_eq!(
            busy(with_password(GMAIL, status)),
            format!("localhost: no login at the moment: {words}; {hint}")
        );
    }
    let (_played, port) = script::play(|peer| peer.say("* BYE Too many simultaneous connections\r\n"));
    let why = "localhost: the server turns us away: Too many simultaneous connections";
    assert_eq!(busy(connect(&settings(port, Tls::None), &limits())), why);
}

#[test]
fn r34_imap10_a_budget_that_is_spent_in_the_middle_ends_the_connection_for_a_while() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.expect("EXAMINE \"INBOX\"");
        peer.end("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)");
        peer.expect_end();
    });
    let why = "localhost: EXAMINE \"INBOX\" is refused: [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)";
    assert_eq!(busy(connection.look(&search(1 << 20), Folders::All)), why);
    drop(connection);
    // A folder that the server does not have is that folder's trouble alone.
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.expect("EXAMINE \"INBOX\"");
        peer.end("NO [NONEXISTENT] Unknown Mailbox: INBOX (Failure)");
    });
    unreachable(connection.look(&search(1 << 20), Folders::All));
}

#[test]
fn r33_imap11_authenticated_but_not_connected_is_waited_for_wherever_it_is_said() {
    let words = "User is authenticated but not connected.";
    let (_played, port) = script::play(|peer| {
        hear_token(peer, MICROSOFT);
        peer.end("BAD User is authenticated but not connected.");
        peer.expect_end();
    });
    assert_eq!(
        busy(connect(&with_token(port), &limits())),
        format!(
            "localhost: the login of relay is known, but its mailbox is not reached: {words}; as a rule this passes; if \
             not: is there a mailbox with a licence, is IMAP switched on for it, and may this application open it?"
        )
    );
    let (_played, port) = script::play(|peer| {
        welcome(peer, MICROSOFT);
        peer.expect("LIST \"\" \"*\"");
        peer.end("BAD User is authenticated but not connected.");
        peer.expect_end();
    });
    assert_eq!(busy(connect(&with_token(port), &limits())), format!("localhost: LIST: {words}"));
    // Another BAD is a server that does not understand us.
    assert_eq!(
        unreachable(with_password(MICROSOFT, "BAD Command Argument Error. 12")),
        "localhost: LOGIN: Command Argument Error. 12"
    );
}

#[test]
fn r33_imap11_a_session_that_ends_with_its_token_is_told_apart_from_every_other_end() {
    for (bye, ended) in
        [("Session invalidated - AccessTokenExpired", true), ("Connection is closed. 13", false)]
    {
        let (_played, port) = script::play(move |peer| {
            welcome(peer, MICROSOFT);
            microsoft_folders(peer);
            for folder in ["Junk Email", "INBOX"] {
                examined(peer, folder, 9);
                peer.found("");
            }
            peer.expect("IDLE");
            peer.say("+ IDLE accepted, awaiting DONE command.\r\n");
            peer.say(&format!("* BYE {bye}\r\n"));
            peer.expect_end();
        });
        let (mut connection, _waker) = connect(&with_token(port), &limits()).unwrap();
        connection.look(&search(1 << 20), Folders::All).unwrap();
        let why = format!("localhost: the server took its leave: {bye}");
        match connection.wait(LONG) {
            Err(MailboxTrouble::TokenEnded(told)) if ended => assert_eq!(without_port(&told), why),
            other if !ended => assert_eq!(unreachable(other), why),
            other => panic!("{other:?}"),
        }
    }
}
