//! A whole conversation with an IMAP server that may say anything: it ends in an error for operators or in mails that
//! were asked for, and never in a panic of the parser behind our answer layer. The input is all that the server says,
//! from the greeting on; commands are numbered a1, a2, …
#![no_main]

use keyrelay::{
    domain::{Limits, Secret},
    mail::{Folders, MailboxTrouble, Search, imap},
};
use keyrelay_fuzz::{arrived_at, assert_printable};
use libfuzzer_sys::fuzz_target;
use rustix::net::sockopt::set_socket_linger;
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    sync::{
        LazyLock, Mutex,
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

/// Less than a socket's buffer holds: the server says it all at once, and waits for nothing.
const SAID_MAX: usize = 48 << 10;
const PASSWORD: &str = "canary-password";

struct Server {
    port: u16,
    says: Sender<Vec<u8>>,
}

static SERVER: LazyLock<Mutex<Server>> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (says, said) = channel::<Vec<u8>>();
    thread::spawn(move || {
        for words in said {
            let (mut client, _) = listener.accept().expect("a client");
            // Hundreds of conversations a second: none may linger.
            set_socket_linger(&client, Some(Duration::ZERO)).expect("a socket");
            let _ = client.write_all(&words);
            let _ = client.shutdown(Shutdown::Write);
            let mut heard = [0; 1024];
            while client.read(&mut heard).is_ok_and(|n| n > 0) {}
        }
    });
    Mutex::new(Server { port, says })
});

fn settings(port: u16, folders: Vec<String>) -> imap::Settings {
    imap::Settings {
        host: "127.0.0.1".into(),
        port,
        tls: imap::Tls::None,
        ca_cert: None,
        user: "relay".into(),
        login: imap::Login::Password(Secret::new(PASSWORD)),
        folders,
    }
}

fn told(trouble: &MailboxTrouble) {
    let text = trouble.to_string();
    assert_printable(&text);
    assert!(!text.contains(PASSWORD), "the password is told: {text}");
}

fuzz_target!(|said: &[u8]| {
    if said.len() > SAID_MAX {
        return;
    }
    let server = SERVER.lock().expect("no panic before");
    server.says.send(said.to_vec()).expect("the server lives");
    let limits = Limits { mail_read_timeout: Duration::from_secs(5), ..Limits::default() };
    let bytes_max = 4 << 10;
    let (mut connection, _waker) = match imap::connect(&settings(server.port, Vec::new()), &limits) {
        Ok(connected) => connected,
        Err(trouble) => return told(&trouble),
    };
    let watched = connection.folders();
    assert!((1..=2).contains(&watched.len()) && watched[0] == "INBOX");
    let search = Search { senders: vec!["@leaf7.fun".into()], since: arrived_at(), bytes_max };
    for which in [Folders::All, Folders::First] {
        let look = match connection.look(&search, which) {
            Ok(look) => look,
            Err(trouble) => return told(&trouble),
        };
        look.unreadable.iter().for_each(|why| assert_printable(why));
        for mail in &look.mails {
            assert!(
                mail.bytes.len() <= bytes_max || mail.header_only,
                "{mail:?} has {} bytes",
                mail.bytes.len()
            );
            assert!(watched.contains(&mail.folder) && !mail.bytes.is_empty(), "{mail:?}");
        }
        if let Err(trouble) = connection.wait(Duration::from_millis(1)) {
            return told(&trouble);
        }
    }
    connection.close();
});
