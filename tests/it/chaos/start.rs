//! Mistakes that are found at the start: one line says which and what to type. What only the operator can mend on
//! this host ends `run` with exit code 2; what an outside system refuses never ends it.

use super::scene::{OPERATOR, Scene};
use crate::world::{Ca, Config, Daemon, Dovecot, Port, Scratch};
use serde_json::{Value, json};
use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

/// A configuration without mistakes, of systems that do not exist.
struct Desk {
    scratch: Scratch,
    nobody: Port,
    config: Config,
    daemon: Daemon,
}

impl Desk {
    fn new() -> Self {
        let (scratch, nobody, mut config) = (Scratch::new(), Port::free(), Config::new());
        let secret = |name: &str| json!({"file": scratch.secret(name, "start 6Hw3Pd8K password")});
        config
            .set("store.vault.address", format!("https://127.0.0.1:{}", nobody.number))
            .set("store.vault.auth.token", secret("vault-token"))
            .set(
                "mailboxes.vendor-mail.imap",
                json!({"host": "localhost", "port": nobody.number, "user": Dovecot::USER, "password": secret("imap-password")}),
            )
            .set("alerts.email", json!({"from": "keyrelay@example.com", "to": [OPERATOR], "smtp":
                {"host": "localhost", "port": nobody.number, "tls": "none"}}))
            .set("credentials.leaf7-main", json!({"vendor": "leaf7", "path": "vendors/leaf7/main",
                "consumers": {"shop": {"prove": {"http": {"url": "http://127.0.0.1:9/keyrelay"}}}}}));
        let daemon = Daemon::new(&mut config);
        Self { scratch, nobody, config, daemon }
    }
    /// What `run` says on standard error; it ends with exit code 2.
    async fn mistake(&mut self, path: &str, value: Value) -> String {
        self.config.set(path, value);
        self.daemon.dir().write("config.yaml", &self.config.yaml());
        let ran = self.daemon.run(&["run"]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        // Folders and ports are new in each run.
        let texts = [
            (self.daemon.dir().path().display().to_string(), "DIR"),
            (self.scratch.path().display().to_string(), "SCRATCH"),
        ];
        texts.iter().fold(ran.stderr, |stderr, (text, name)| stderr.replace(text, name))
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_and_so_is_the_way_out() {
    let mut desk = Desk::new();
    let port = Port::free();
    let _taken = TcpListener::bind(("127.0.0.1", port.number)).expect("a free port");
    let address = format!("127.0.0.1:{}", port.number);
    let said = desk.mistake("listen", json!(address)).await;
    let expected = "cannot listen on ADDRESS: Address already in use (os error 98); name another one (listen: in the \
        configuration), or turn it off (listen: off)\n";
    assert_eq!(said.replace(&address, "ADDRESS"), expected);
}

#[tokio::test]
async fn what_is_no_left_over_socket_stays_where_it_is() {
    let mut desk = Desk::new();
    let way_out = "name another one (listen: in the configuration), or turn it off (listen: off)\n";
    let at = |path: &Path| json!(format!("unix:{}", path.display()));

    let file = desk.scratch.write("file", "somebody's");
    let said = desk.mistake("listen", at(&file)).await;
    let expected =
        "cannot listen on unix:SCRATCH/file: a file that is no socket is in the way; remove it, or ";
    assert_eq!(said, format!("{expected}{way_out}"));
    assert_eq!(fs::read_to_string(&file).expect("the file"), "somebody's");

    let busy = desk.scratch.join("busy.sock");
    let _taken = UnixListener::bind(&busy).expect("a socket");
    let said = desk.mistake("listen", at(&busy)).await;
    let expected = "cannot listen on unix:SCRATCH/busy.sock: Address already in use (os error 98); ";
    assert_eq!(said, format!("{expected}{way_out}"));
    assert!(UnixStream::connect(&busy).is_ok(), "it is still there");

    let said = desk.mistake("listen", json!("unix:/nonexistent/http.sock")).await;
    let expected = "cannot listen on unix:/nonexistent/http.sock: its folder does not exist; create it, or ";
    assert_eq!(said, format!("{expected}{way_out}"));

    desk.config.set("listen", "off");
    let file = desk.scratch.write("control", "somebody's");
    let said = desk.mistake("control", json!(file)).await;
    let expected = "SCRATCH/control is in the way of the control socket: it is no socket; remove it, or name another \
        path (control: in the configuration)\n";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_missing_folder_is_named_and_so_is_the_way_out() {
    let said = Desk::new().mistake("control", json!("/nonexistent/keyrelay/control.sock")).await;
    let expected = "the control socket /nonexistent/keyrelay/control.sock cannot be opened: No such file or directory \
        (os error 2); create the folder /nonexistent/keyrelay, or name another path (control: in the configuration)\n";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_spool_that_others_may_enter_or_that_is_no_folder_is_refused() {
    let mut desk = Desk::new();
    let open = desk.scratch.folder("open");
    fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("its mode");
    let said = desk.mistake("spool.dir", json!(open)).await;
    assert_eq!(said, "SCRATCH/open: others may enter it; type: chmod 700 SCRATCH/open\n");
    let file = desk.scratch.write("file", "");
    let said = desk.mistake("spool.dir", json!(file)).await;
    assert_eq!(said, "SCRATCH/file: it is not a folder; move it away, or name another one\n");
}

#[tokio::test]
async fn a_secret_that_others_may_read_or_that_is_missing_is_refused_by_name_and_not_shown() {
    let mut desk = Desk::new();
    let open = desk.scratch.write("open", "a secret that nobody may see");
    let missing = desk.scratch.join("missing");
    desk.config.set("store.vault.auth.token", json!({"file": missing}));
    let said = desk.mistake("mailboxes.vendor-mail.imap.password", json!({"file": open})).await;
    let expected = "DIR/config.yaml: store.vault.auth.token: no file SCRATCH/missing; write it: install -m 600 \
        /dev/stdin SCRATCH/missing\n\
        DIR/config.yaml: mailboxes.vendor-mail.imap.password: SCRATCH/open can be read by others (mode 0644); type: \
        chmod 600 SCRATCH/open\n";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_file_that_holds_no_certificate_is_refused_by_name() {
    let mut desk = Desk::new();
    let text = desk.scratch.write("ca.pem", "no certificate");
    for path in ["store.vault.ca_cert", "mailboxes.vendor-mail.imap.ca_cert"] {
        let said = desk.mistake(path, json!(text)).await;
        let expected = format!(
            "DIR/config.yaml: {path}: SCRATCH/ca.pem: holds no certificate; put the authority's certificate there as \
            PEM, or leave the key out to trust the system's\n"
        );
        assert_eq!(said, expected);
        desk.config.remove(path);
    }
}

#[tokio::test]
async fn a_second_daemon_is_refused_and_the_first_runs_on() {
    let mut desk = Desk::new();
    desk.daemon.start_up().await;
    let ran = desk.daemon.run(&["run"]).await;
    let said = ran.stderr.replace(&desk.daemon.dir().path().display().to_string(), "DIR");
    let expected = "another keyrelay answers at DIR/control.sock: stop it first (systemctl stop keyrelay)\n";
    assert_eq!((ran.code, said.as_str()), (Some(2), expected));
    desk.daemon.status().await;
}

#[tokio::test]
async fn systems_that_do_not_answer_do_not_end_it() {
    let mut desk = Desk::new();
    desk.daemon.start_up().await;
    let nobody = desk.nobody.number;
    for (code, expected) in [
        (
            "store-unreachable",
            format!("the store cannot be reached: 127.0.0.1:{nobody}: Connection refused (os error 111)"),
        ),
        (
            "mailbox-unreachable",
            format!(
                "localhost:{nobody}: the connection is refused; does the server run, and is the port right?"
            ),
        ),
        ("alerts-failing", format!("localhost:{nobody}")),
    ] {
        let look = |status: &Value| {
            let incidents = status["incidents"].as_array()?;
            let found = incidents.iter().find(|incident| incident["code"] == code)?;
            Some(found["message"].as_str()?.to_owned())
        };
        let message = desk.daemon.wait_status(code, look).await;
        assert!(message.contains(&expected), "{message}");
    }
    assert_eq!(desk.daemon.term().await.code(), Some(0));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_told_and_does_not_end_it() {
    let mut scene = Scene::build().await;
    let other = Ca::new();
    scene
        .config
        .set("store.vault.address", scene.bao.address())
        .set("store.vault.ca_cert", json!(other.ca_path()))
        .set("mailboxes.vendor-mail.imap.ca_cert", json!(other.ca_path()));
    scene.start().await;
    for code in ["store-unreachable", "mailbox-unreachable"] {
        let incident = scene.told(code).await;
        let message = incident["message"].as_str().expect("a message");
        assert!(message.contains("certificate"), "{message}");
    }
    assert_eq!(scene.daemon.term().await.code(), Some(0));
}
