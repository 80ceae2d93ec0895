//! Waiting, being told, being called, and leaving.

use super::{script::mail, *};
use crate::mail::Woken;

/// A connection whose server, after EXAMINE, gets an IDLE and plays `script`.
fn idling(script: impl FnOnce(&mut Peer) + Send + 'static) -> (Played, Connection, Waker) {
    logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.found("");
        peer.expect("IDLE");
        script(peer);
    })
}

/// The first look, then a wait.
fn look_and_wait(connection: &mut Connection, timeout: Duration) -> Result<Woken, MailboxTrouble> {
    connection.look(&search(1 << 20), Folders::All).unwrap();
    connection.wait(timeout)
}

fn done(peer: &mut Peer) {
    assert_eq!(peer.hear(), "DONE");
    peer.end("OK Idle completed");
}

#[test]
fn a_mail_that_arrives_while_idling_is_news_and_costs_three_round_trips() {
    let (_played, mut connection, _waker) = idling(|peer| {
        peer.say("+ idling\r\n* OK Still here\r\n* 0 RECENT\r\n* 1 FETCH (FLAGS (\\Seen))\r\n");
        peer.say("* 2 EXISTS\r\n");
        done(peer);
        peer.found("9");
        let fetch = "UID FETCH 9 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.65536>)";
        peer.answer(fetch, &[&mail(9, 20, "BODY[]", "key")]);
        peer.expect("IDLE");
    });
    assert_eq!(look_and_wait(&mut connection, LONG), Ok(Woken::News));
    assert_eq!(seen(&connection.look(&search(1 << 20), Folders::First).unwrap()), ["7/9 INBOX key"]);
    drop(connection.wait(LONG));
}

#[test]
fn a_mail_is_news_wherever_the_server_announces_it() {
    let (_played, mut connection, _waker) = logged_in(|peer| {
        peer.examined("INBOX", 7);
        peer.answer(script::SEARCH, &["SEARCH", "2 EXISTS"]); // beside another answer: no IDLE is needed
        peer.found("");
        peer.expect("IDLE");
        peer.say("* 3 EXISTS\r\n+ idling\r\n"); // before the continuation
        done(peer);
        peer.expect("IDLE");
        peer.say("+ idling\r\n");
        assert_eq!(peer.hear(), "DONE");
        peer.say("* 4 EXISTS\r\n"); // when we are already leaving
        peer.end("OK Idle completed");
    });
    assert_eq!(look_and_wait(&mut connection, LONG), Ok(Woken::News));
    assert!(connection.look(&search(1 << 20), Folders::First).is_ok());
    assert_eq!(connection.wait(LONG), Ok(Woken::News));
    assert_eq!(connection.wait(Duration::ZERO), Ok(Woken::Timeout));
    assert_eq!(connection.wait(LONG), Ok(Woken::News));
}

#[test]
fn a_call_ends_idle_at_once_and_a_close_says_goodbye() {
    let (_played, mut connection, waker) = idling(move |peer| {
        peer.say("+ idling\r\n");
        done(peer);
        peer.answer("LOGOUT", &["BYE logging out"]);
        peer.expect_end();
    });
    let caller = waker.clone();
    let thread = std::thread::spawn(move || caller.wake());
    assert_eq!(look_and_wait(&mut connection, LONG), Ok(Woken::Called));
    thread.join().unwrap();
    connection.close();
}

#[test]
fn a_call_that_came_before_the_wait_ends_it() {
    let (_played, mut connection, waker) = idling(|peer| {
        peer.say("+ idling\r\n");
        done(peer);
    });
    waker.wake();
    assert_eq!(look_and_wait(&mut connection, LONG), Ok(Woken::Called));
}

#[test]
fn imap03_idle_is_renewed_until_there_is_news() {
    let (_played, port) = script::play(|peer| {
        peer.welcome();
        peer.examined("INBOX", 7);
        peer.found("");
        for news in ["", "", "* 2 EXISTS\r\n"] {
            peer.expect("IDLE");
            peer.say(&format!("+ idling\r\n{news}"));
            done(peer);
        }
    });
    let limits = Limits { idle_renew: Duration::from_millis(20), ..limits() };
    let (mut connection, _waker) = connect(&settings(port, Tls::None), &limits).unwrap();
    assert_eq!(look_and_wait(&mut connection, LONG), Ok(Woken::News));
}

#[test]
fn a_server_that_does_not_idle_after_all_is_waited_for_without() {
    for answer in ["NO not today", "BAD what?", "OK that was it"] {
        let (_played, mut connection, waker) = idling(move |peer| {
            peer.end(answer);
            peer.found("");
            peer.say("* 2 EXISTS\r\n");
        });
        assert_eq!(look_and_wait(&mut connection, Duration::ZERO), Ok(Woken::Timeout), "{answer}");
        waker.wake();
        assert_eq!(connection.wait(LONG), Ok(Woken::Called), "{answer}");
        connection.look(&search(1 << 20), Folders::First).unwrap();
        assert_eq!(connection.wait(LONG), Ok(Woken::News), "{answer}");
    }
}

#[test]
fn a_server_that_ends_idle_by_itself_is_heard_on() {
    let (_played, mut connection, _waker) = idling(|peer| {
        peer.say("+ idling\r\n");
        peer.end("OK enough");
        peer.say("* 2 EXISTS\r\n");
    });
    assert_eq!(look_and_wait(&mut connection, LONG), Ok(Woken::News));
}

#[test]
fn r31_imap04_a_server_that_goes_away_while_idling_is_lost() {
    let (_played, mut connection, _waker) = idling(|peer| peer.say("+ idling\r\n* 2 EXI"));
    let why = "localhost: IDLE: the server closed the connection";
    assert_eq!(unreachable(look_and_wait(&mut connection, LONG)), why);

    let (_played, mut connection, _waker) = idling(|peer| {
        peer.say("+ idling\r\n* BYE Server shutting down.\r\n");
        peer.expect_end();
    });
    let why = "localhost: the server took its leave: Server shutting down.";
    assert_eq!(unreachable(look_and_wait(&mut connection, LONG)), why);
    drop(connection);

    let (_played, mut connection, _waker) = idling(|_| {});
    let why = "localhost: IDLE: the server closed the connection";
    assert_eq!(unreachable(look_and_wait(&mut connection, LONG)), why);
}

#[test]
fn r30_imap03_a_server_that_falls_silent_in_idle_is_lost_when_idle_is_left() {
    let (_played, port) = script::play(|peer| {
        peer.welcome();
        peer.examined("INBOX", 7);
        peer.found("");
        peer.expect("IDLE");
        peer.say("+ idling\r\n");
        assert_eq!(peer.hear(), "DONE");
        peer.expect_end();
    });
    let (mut connection, _waker) = connect(&settings(port, Tls::None), &impatient()).unwrap();
    let why = "localhost: IDLE: no answer within 1 s";
    assert_eq!(unreachable(look_and_wait(&mut connection, Duration::ZERO)), why);
    drop(connection);
}

#[test]
fn a_close_waits_for_nobody() {
    let (_played, connection, _waker) = logged_in(|peer| {
        peer.expect("LOGOUT");
        peer.expect_end();
    });
    connection.close();
}
