//! Connecting, TLS, the greeting and the login.

use super::{pki::certificate, *};
use rustls::ServerConfig;
use std::{net::TcpListener, path::Path, sync::Arc};

fn dial(tls: Tls, script: impl FnOnce(&mut Peer) + Send + 'static) -> Result<(), MailboxTrouble> {
    let (_played, port) = script::play(script);
    connect(&settings(port, tls), &limits()).map(|_| ())
}

#[test]
fn a_server_that_turns_us_away_is_told_in_its_own_words() {
    let result = dial(Tls::None, |peer| peer.say("* BYE too many connections\r\n"));
    assert_eq!(unreachable(result), "localhost: the server turns us away: too many connections");
}

#[test]
fn r23_m53_nobody_is_logged_in_before_the_login() {
    for tls in [Tls::None, Tls::StartTls] {
        let result = dial(tls, |peer| {
            peer.say("* PREAUTH welcome back\r\n");
            peer.expect_end();
        });
        let why = "the server says that we are logged in already (PREAUTH), which nobody asked for";
        assert_eq!(unreachable(result), format!("localhost: {why}"));
    }
}

#[test]
fn another_kind_of_server_is_named_as_such() {
    let result = dial(Tls::None, |peer| peer.say("220 mail.example ESMTP\r\n"));
    assert_eq!(unreachable(result), "localhost: this is no IMAP server");
    let result = dial(Tls::Implicit, |peer| {
        peer.say("* OK ready\r\n");
        peer.hear();
    });
    let why = "no TLS: it does not speak TLS on this port; another port, or STARTTLS, may be meant";
    assert_eq!(unreachable(result), format!("localhost: {why}"));
}

#[test]
fn imap05_nobody_there_is_told_as_refused_unresolved_or_silent() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let result = connect(&settings(free, Tls::None), &limits());
    let why = "localhost: the connection is refused; does the server run, and is the port right?";
    assert_eq!(unreachable(result), why);

    let nowhere = Settings { host: "nowhere.invalid".into(), ..settings(143, Tls::None) };
    let why = "nowhere.invalid: the host's name cannot be resolved";
    assert_eq!(unreachable(connect(&nowhere, &limits())), why);

    for tls in [Tls::None, Tls::StartTls, Tls::Implicit] {
        let (_played, port) = script::play(|peer| while !peer.hear().is_empty() {});
        let told = unreachable(connect(&settings(port, tls), &impatient()));
        assert!(told.ends_with(": no answer within 1 s"), "{told}");
    }
}

#[test]
fn r22_m52_starttls_that_is_refused_gets_no_password() {
    for refusal in
        ["s1 NO no\r\n", "s1 BAD what?\r\n", "+ go ahead\r\n", "s1 OKAY\r\n", "* OK x\r\ns2 OK\r\n"]
    {
        let result = dial(Tls::StartTls, move |peer| {
            peer.say("* OK [ALERT] call 0190 666\r\n");
            assert_eq!(peer.hear(), "s1 STARTTLS");
            peer.say(refusal);
            peer.expect_end();
        });
        let why = "localhost: the server refuses STARTTLS; no password was sent";
        assert_eq!(unreachable(result), why, "{refusal}");
    }
}

#[test]
fn a_server_that_takes_no_password_here_is_not_told_it() {
    let result = dial(Tls::None, |peer| {
        peer.say("* OK ready\r\n");
        peer.answer("CAPABILITY", &["CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED"]);
        peer.expect_end();
    });
    let why = "localhost takes no password on this connection; set tls: implicit or tls: starttls";
    assert_eq!(refused(result), why);
}

/// A login that is answered with `status`.
fn log_in(status: &'static str) -> Result<(), MailboxTrouble> {
    dial(Tls::None, move |peer| {
        peer.say("* OK ready\r\n");
        peer.answer("CAPABILITY", &["CAPABILITY IMAP4rev1"]);
        peer.expect("LOGIN \"relay\" \"canary\"");
        peer.end(status);
        peer.expect_end();
    })
}

#[test]
fn a_refused_login_names_who_where_and_what_to_check() {
    let told = |words: &str| {
        format!(
            "localhost refuses the login of relay: {words}; \
             check user and password, and whether this account may use IMAP"
        )
    };
    let words = "[AUTHENTICATIONFAILED] Authentication failed.";
    assert_eq!(refused(log_in("NO [AUTHENTICATIONFAILED] Authentication failed.")), told(words));
    assert_eq!(refused(log_in("NO Falsches Pa\u{df}wort")), told("Falsches Pa??wort"));
    assert_eq!(refused(log_in("NO [ALERT] Use an app password")), told("Use an app password"));
    assert_eq!(
        refused(log_in("NO bad password \"canary\"")),
        told("(its words hold the password, and are not shown)")
    );
}

#[test]
fn a_login_that_the_server_cannot_judge_now_is_tried_again() {
    let result = log_in("NO [UNAVAILABLE] Temporary authentication failure.");
    let words = "[UNAVAILABLE] Temporary authentication failure.";
    assert_eq!(unreachable(result), format!("localhost: no login at the moment: {words}"));
    assert_eq!(unreachable(log_in("BAD Unknown command")), "localhost: LOGIN: Unknown command");
}

#[test]
fn a_password_that_is_no_ascii_is_sent_as_sasl_has_it_where_the_server_can() {
    for (capabilities, command) in
        [("IMAP4rev1 AUTH=PLAIN", "AUTHENTICATE PLAIN"), ("IMAP4rev1", "LOGIN \"relay\" \"Schl\u{fc}ssel\"")]
    {
        let (_played, port) = script::play(move |peer| {
            peer.say("* OK ready\r\n");
            peer.answer("CAPABILITY", &[&format!("CAPABILITY {capabilities}")]);
            peer.expect(command);
            if command.starts_with("AUTH") {
                peer.say("+ \r\n");
                assert_eq!(peer.hear(), "AHJlbGF5AFNjaGzDvHNzZWw=");
            }
            peer.end("NO [AUTHENTICATIONFAILED] no");
        });
        let settings =
            Settings { login: Login::Password(Secret::new("Schl\u{fc}ssel")), ..settings(port, Tls::None) };
        let why = refused(connect(&settings, &limits()));
        assert!(
            why.starts_with("localhost refuses the login of relay: [AUTHENTICATIONFAILED] no; "),
            "{why}"
        );
    }
}

#[test]
fn a_login_that_is_never_answered_ends_in_time() {
    let (_played, port) = script::play(|peer| {
        peer.say("* OK ready\r\n");
        peer.answer("CAPABILITY", &["CAPABILITY IMAP4rev1"]);
        peer.expect("LOGIN \"relay\" \"canary\"");
        peer.expect_end();
    });
    let result = connect(&settings(port, Tls::None), &impatient());
    assert_eq!(unreachable(result), "localhost: LOGIN: no answer within 1 s");
}

/// Connects to a server whose certificate is for `name`, trusting the CA in `ca`, in both ways of TLS.
fn over_tls(
    name: &str,
    ca: &Path,
    config: &Arc<ServerConfig>,
    trusted: bool,
) -> [Result<(), MailboxTrouble>; 2] {
    [Tls::Implicit, Tls::StartTls].map(|tls| {
        let config = config.clone();
        let (_played, port) = script::play(move |peer| {
            if tls == Tls::StartTls {
                peer.say("* OK ready\r\n");
                assert_eq!(peer.hear(), "s1 STARTTLS");
                peer.say("* CAPABILITY IMAP4rev1 LOGINDISABLED\r\ns1 OK begin\r\n");
            }
            peer.encrypt(config);
            if !trusted {
                return while !peer.hear().is_empty() {}; // to the handshake's end
            }
            if tls == Tls::Implicit {
                peer.say("* OK ready\r\n");
            }
            peer.admit();
            peer.answer("LOGOUT", &[]);
        });
        let settings = Settings { host: name.into(), ca_cert: Some(ca.into()), ..settings(port, tls) };
        connect(&settings, &limits()).map(|(connection, _)| connection.close())
    })
}

#[test]
fn m58_a_private_ca_is_trusted_for_its_names_and_nothing_else_is() {
    let [ours, theirs, namesake] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let good = certificate(ours.path(), "ours");
    certificate(theirs.path(), "theirs");
    certificate(namesake.path(), "ours");

    for result in over_tls("localhost", &ours.path().join("ca.pem"), &good, true) {
        result.unwrap();
    }
    for result in over_tls("127.0.0.1", &ours.path().join("ca.pem"), &good, false) {
        let why = "127.0.0.1: no TLS: its certificate is for localhost, not for this name";
        assert_eq!(unreachable(result), why);
    }
    for ca in [theirs, namesake] {
        let why =
            "no TLS: its certificate is signed by nobody that is trusted here; name its CA's file in ca_cert";
        for result in over_tls("localhost", &ca.path().join("ca.pem"), &good, false) {
            assert_eq!(unreachable(result), format!("localhost: {why}"));
        }
    }
}

/// The line that logs in.
fn said_to_log_in(user: &str, password: &str) -> String {
    let (heard, said) = std::sync::mpsc::channel();
    let (played, port) = script::play(move |peer| {
        peer.say("* OK ready\r\n");
        peer.answer("CAPABILITY", &["CAPABILITY IMAP4rev1"]);
        heard.send(peer.hear()).unwrap();
        peer.expect_end();
    });
    let settings = Settings {
        user: user.into(),
        login: Login::Password(Secret::new(password)),
        ..settings(port, Tls::None)
    };
    assert!(
        connect(&settings, &Limits { mail_read_timeout: Duration::from_millis(200), ..limits() }).is_err()
    );
    drop(played);
    said.recv().unwrap()
}

#[test]
fn imap12_quotes_and_backslashes_in_user_and_password_stay_in_their_quotes() {
    for (user, password, line) in [
        ("relay", "canary", r#"a2 LOGIN "relay" "canary""#),
        (r#"re"lay"#, r#"ca"na\ry"#, r#"a2 LOGIN "re\"lay" "ca\"na\\ry""#),
        (r#"a\"#, r#"" x a3 LOGOUT "#, r#"a2 LOGIN "a\\" "\" x a3 LOGOUT ""#),
        ("a{5}", "b{5+}", r#"a2 LOGIN "a{5}" "b{5+}""#),
        ("a\tb", "(c)*%", "a2 LOGIN \"a\tb\" \"(c)*%\""),
    ] {
        assert_eq!(said_to_log_in(user, password), line);
    }
}

#[test]
fn imap12_a_line_end_or_a_nul_in_user_or_password_is_told_before_anybody_is_called() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    nobody.set_nonblocking(true).unwrap();
    let port = nobody.local_addr().unwrap().port();
    for (user, password) in [
        ("re\r\nlay", "canary"),
        ("re\nlay", "canary"),
        ("relay", "can\rary"),
        ("relay", "can\0ary"),
        ("re\0lay", "canary"),
    ] {
        let settings = Settings {
            user: user.into(),
            login: Login::Password(Secret::new(password)),
            ..settings(port, Tls::None)
        };
        let why = format!(
            "localhost gets no login: the password or the user {user:?} has a line end or a NUL in it"
        );
        assert_eq!(refused(connect(&settings, &limits())), why);
    }
    assert!(nobody.accept().is_err());
}

#[test]
fn imap12_whatever_is_in_a_folder_s_name_stays_in_its_quotes() {
    for (name, line) in [
        ("INBOX", r#"EXAMINE "INBOX""#),
        (r#"Keys "old" \ new"#, r#"EXAMINE "Keys \"old\" \\ new""#),
        ("a\r\na9 DELETE INBOX", r#"EXAMINE "a&AA0ACg-a9 DELETE INBOX""#),
        ("a\0b", r#"EXAMINE "a&AAA-b""#),
        ("{5}", r#"EXAMINE "{5}""#),
        ("Vendor & Co", r#"EXAMINE "Vendor &- Co""#),
    ] {
        let (_played, port) = script::play(move |peer| {
            peer.welcome();
            if name != "INBOX" {
                peer.answer("LIST \"\" \"*\" RETURN (SPECIAL-USE)", &[]); // is it the one for junk?
            }
            peer.expect(line);
            peer.end("NO no");
        });
        let settings = Settings { folders: vec![name.into()], ..settings(port, Tls::None) };
        let (mut connection, _waker) = connect(&settings, &limits()).unwrap();
        let told = unreachable(connection.look(&search(1 << 20), Folders::All));
        assert_eq!(told, format!("localhost: EXAMINE {name:?} is refused: no"));
    }
}
