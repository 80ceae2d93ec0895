//! One table of bad certificates for everything of ours that speaks TLS: none is talked to, by anybody. Each way is
//! first shown to work with a good certificate, as a bare leaf and behind an intermediate.

use crate::{
    alert::smtp,
    at_rest::LiveSecret,
    domain::{Key, Limits, Secret},
    mail::{MailboxTrouble, imap},
    probe,
    store::vault,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

const NO_PEER: &str =
    "its certificate is signed by nobody that is trusted here; name its CA's file in ca_cert";
const NO_SIGNER: &str = "its certificate is signed by one that may not sign it (EndEntityUsedAsCa)";
const EXPIRED: &str = "its certificate has expired";
const OLD_TLS: &str = "it speaks no TLS of version 1.2 or later";

type Ca = CertifiedIssuer<'static, KeyPair>;

/// What a server shows: its certificate's chain and key, or something older than certificates are of use for.
enum Shows {
    Chain(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
    /// A ServerHello of this version and nothing newer.
    Version([u8; 2]),
}

fn authority(name: &str, ca: IsCa, by: Option<&Ca>, years: (i32, i32)) -> Ca {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = ca;
    (params.not_before, params.not_after) =
        (rcgen::date_time_ymd(years.0, 1, 1), rcgen::date_time_ymd(years.1, 1, 1));
    let key = KeyPair::generate().unwrap();
    match by {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer).unwrap(),
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
    }
}

const IS_CA: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

/// A server's certificate for `localhost` until `change` makes it another, signed by `by` or itself, and what of the
/// chain the server shows besides.
fn leaf(by: Option<&Ca>, chain: &[&Ca], change: impl FnOnce(&mut CertificateParams)) -> Shows {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) =
        (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2100, 1, 1));
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = match by {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    let mut shown = vec![certificate.unwrap().der().clone()];
    shown.extend(chain.iter().map(|ca| ca.der().clone()));
    Shows::Chain(shown, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// A server that shows this, after it was spoken to in clear in the words of `prelude`: each is said, and answered
/// with a line. Gives whether somebody completed the handshake and, if so, went on to speak.
fn serve(shows: &Arc<Shows>, prelude: &'static [&'static str]) -> (u16, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let shows = shows.clone();
    let thread = thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut lines = BufReader::new(tcp.try_clone().unwrap());
        for said in prelude {
            tcp.write_all(said.as_bytes()).unwrap();
            if !said.ends_with("go on\r\n") {
                lines.read_line(&mut String::new()).unwrap();
            }
        }
        assert_eq!(lines.buffer(), b"", "more than was asked for");
        match &*shows {
            Shows::Chain(chain, key) => shake_hands(&mut tcp, chain.clone(), key.clone_key()),
            Shows::Version(version) => speak_old(&mut tcp, *version),
        }
    });
    (port, thread)
}

fn shake_hands(
    tcp: &mut TcpStream,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> bool {
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
    while tls.is_handshaking() {
        if tls.complete_io(tcp).is_err() {
            return false;
        }
    }
    true
}

/// A ServerHello by hand: no extension, so no newer version; an RSA cipher of then.
fn speak_old(tcp: &mut TcpStream, version: [u8; 2]) -> bool {
    let mut hello = [0; 5];
    tcp.read_exact(&mut hello).unwrap();
    let [major, minor] = version;
    let body = [&[major, minor][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let body_bytes = u8::try_from(body.len()).unwrap();
    let message = [&[22, major, minor, 0, body_bytes + 4, 2, 0, 0, body_bytes][..], &body].concat();
    tcp.write_all(&message).unwrap();
    // What follows is an alert, or a client that goes on: a record of type 22 again.
    let mut rest = vec![0; usize::from(hello[4]) + 256 * usize::from(hello[3])];
    tcp.read_exact(&mut rest).unwrap();
    let mut next = [0];
    tcp.read(&mut next).unwrap_or(0) == 1 && next[0] != 21
}

/// What each of our clients says of a server, and whether the server heard from it.
async fn ask_all(shows: &Arc<Shows>, ca: &Path) -> Vec<(&'static str, bool, String)> {
    let mut told = Vec::new();
    for (name, tls, prelude) in [
        ("imap, implicit", imap::Tls::Implicit, &[][..]),
        ("imap, STARTTLS", imap::Tls::StartTls, &["* OK ready\r\n", "s1 OK go on\r\n"]),
    ] {
        let (port, served) = serve(shows, prelude);
        let settings = imap::Settings {
            host: "localhost".into(),
            port,
            tls,
            ca_cert: Some(ca.into()),
            user: "relay".into(),
            login: imap::Login::Password(Secret::new("canary")),
            folders: vec!["INBOX".into()],
        };
        let said = imap::connect(&settings, &Limits::default()).err().map(|trouble| match trouble {
            MailboxTrouble::Unreachable(why) | MailboxTrouble::Refused(why) => why,
            MailboxTrouble::Busy(why) | MailboxTrouble::TokenEnded(why) => why,
        });
        let said = said.unwrap_or_default().replace(&format!("localhost:{port}: no TLS: "), "");
        told.push((name, served.join().unwrap(), said));
    }
    for (name, tls, prelude) in [
        ("smtp, implicit", smtp::Tls::Implicit, &[][..]),
        (
            "smtp, STARTTLS",
            smtp::Tls::StartTls,
            &["220 ready\r\n", "250-here\r\n250 STARTTLS\r\n", "220 go on\r\n"],
        ),
    ] {
        let (port, served) = serve(shows, prelude);
        let smtp = smtp::Smtp::new(&smtp_settings(port, tls, ca), &Limits::default()).unwrap();
        told.push((name, served.join_in(async { smtp.check().await.err() }).await, String::new()));
    }
    let (port, served) = serve(shows, &[]);
    let prober =
        probe::Prober::trusting((*super::client_config(Some(ca)).unwrap()).clone(), &Limits::default());
    let (prober, profile) = (prober.unwrap(), probe::tests::leaf7(&format!("https://localhost:{port}")));
    let key = Key::parse("l7_canary0123456789canary0123456789canary").unwrap();
    told.push(("probe", served.join_in(async { prober.probe(&profile, &key).await }).await, String::new()));

    let (port, served) = serve(shows, &[]);
    let settings = vault::Settings {
        nodes: vec![format!("https://localhost:{port}")],
        namespace: String::new(),
        ca_cert: Some(ca.into()),
        mount: "secret".into(),
        auth: vault::Auth::Token(LiveSecret::fixed(Secret::new("canary"))),
    };
    let store = vault::Vault::open(&settings, &Limits::default()).unwrap();
    told.push(("vault", served.join_in(async { store.health().await.err() }).await, String::new()));
    told
}

fn smtp_settings(port: u16, tls: smtp::Tls, ca: &Path) -> smtp::Settings {
    smtp::Settings {
        from: "keyrelay@example.com".into(),
        to: vec!["ops@example.com".into()],
        urgent_to: vec![],
        host: "localhost".into(),
        port,
        tls,
        user: Some("keyrelay".into()),
        password: Some(Secret::new("canary")),
        ca_cert: Some(ca.into()),
    }
}

trait JoinIn {
    /// Does that while the server serves, and gives what the server says.
    async fn join_in<T>(self, client: impl Future<Output = T>) -> bool;
}

impl JoinIn for JoinHandle<bool> {
    async fn join_in<T>(self, client: impl Future<Output = T>) -> bool {
        client.await;
        self.join().unwrap()
    }
}

/// What is wrong, who shows it, and what the mailbox's operator is told.
type Bad = (&'static str, Shows, &'static str);

struct Tree {
    folder: tempfile::TempDir,
    ours: Ca,
}

impl Tree {
    fn new() -> Self {
        super::install();
        let folder = tempfile::tempdir().unwrap();
        let ours = authority("ours", IS_CA, None, (2020, 2100));
        std::fs::write(folder.path().join("ca.pem"), ours.pem()).unwrap();
        Self { folder, ours }
    }

    /// A certificate of OpenSSL's, signed with this digest by the CA in `openssl.pem`.
    fn by_openssl(&self, digest: &str) -> Shows {
        let run = |arguments: &str| {
            let mut command = Command::new("openssl");
            let done = command.args(arguments.split(' ')).current_dir(self.folder.path()).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        run(&format!("req -x509 {key} -keyout openssl.key -out openssl.pem -subj /CN=openssl -days 30"));
        run(&format!(
            "req {key} -keyout leaf.key -out leaf.csr -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        ));
        run(&format!(
            "x509 -req -in leaf.csr -CA openssl.pem -CAkey openssl.key -CAcreateserial -copy_extensions copy -days 30 -{digest} -out leaf.pem"
        ));
        let at = |name: &str| self.folder.path().join(name);
        let certificate = CertificateDer::from_pem_file(at("leaf.pem")).unwrap();
        Shows::Chain(vec![certificate], PrivateKeyDer::from_pem_file(at("leaf.key")).unwrap())
    }

    /// Good signatures under what is not for this name, time or use.
    fn bad_leaves(&self) -> Vec<Bad> {
        let leaf = |change: &dyn Fn(&mut CertificateParams)| leaf(Some(&self.ours), &[], change);
        let named = |name: &'static str| {
            leaf(&move |params| params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())])
        };
        let years = |from, to| {
            leaf(&move |params| {
                params.not_before = rcgen::date_time_ymd(from, 1, 1);
                params.not_after = rcgen::date_time_ymd(to, 1, 1);
            })
        };
        let address =
            leaf(&|params| params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())]);
        let nameless = leaf(&|params| {
            params.subject_alt_names.clear();
            params.distinguished_name.push(DnType::CommonName, "localhost");
        });
        let client = leaf(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
        let other = "its certificate is for mail.example.org, not for this name";
        let wild = "its certificate is for *.localhost, not for this name";
        let by_address = "its certificate is for 127.0.0.1, not for this name";
        let early = "its certificate is not valid yet; is the clock right?";
        let purpose = "its certificate is refused: certificate does not allow extended key usage for server \
            authentication, allows client authentication";
        vec![
            ("another name", named("mail.example.org"), other),
            ("a wildcard that stands for a label more", named("*.localhost"), wild),
            ("an address in the place of the name", address, by_address),
            ("the name in its subject alone", nameless, "its certificate is not for this name"),
            ("expired", years(2020, 2021), EXPIRED),
            ("not valid yet", years(2090, 2100), early),
            ("for clients only", client, purpose),
        ]
    }

    /// Certificates that nobody, or nobody who may, has signed; and a server from before all that.
    fn bad_chains(&self) -> Vec<Bad> {
        let good = |_: &mut CertificateParams| {};
        let ours = Some(&self.ours);
        let stranger = authority("stranger", IS_CA, None, (2020, 2100));
        let namesake = authority("ours", IS_CA, None, (2020, 2100));
        let between = authority("between", IS_CA, ours, (2020, 2100));
        let no_ca = authority("no CA", IsCa::ExplicitNoCa, ours, (2020, 2100));
        let over = authority("over", IS_CA, ours, (2020, 2021));
        let short = authority("short", IsCa::Ca(BasicConstraints::Constrained(0)), ours, (2020, 2100));
        let below = authority("below", IS_CA, Some(&short), (2020, 2100));
        let too_long = "its certificate is signed by one that may not sign it (PathLenConstraintViolated)";
        vec![
            ("self-signed", leaf(None, &[], good), NO_PEER),
            ("another CA", leaf(Some(&stranger), &[&stranger], good), NO_PEER),
            ("another CA of the same name", leaf(Some(&namesake), &[], good), NO_PEER),
            ("an intermediate that is not shown", leaf(Some(&between), &[], good), NO_PEER),
            ("an intermediate that is no CA", leaf(Some(&no_ca), &[&no_ca], good), NO_SIGNER),
            ("an intermediate that has expired", leaf(Some(&over), &[&over], good), EXPIRED),
            ("a CA below one that may have none", leaf(Some(&below), &[&below, &short], good), too_long),
            ("TLS 1.1", Shows::Version([3, 2]), OLD_TLS),
            ("TLS 1.0", Shows::Version([3, 1]), OLD_TLS),
            ("SSL 3.0", Shows::Version([3, 0]), OLD_TLS),
        ]
    }
}

async fn all_shake_hands(what: &str, shows: Shows, ca: &Path) {
    for (client, heard, said) in ask_all(&Arc::new(shows), ca).await {
        assert!(heard, "{client} turns away {what}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r26_m58_nobody_of_ours_speaks_to_who_shows_a_bad_certificate() {
    let tree = Tree::new();
    let ca = tree.folder.path().join("ca.pem");
    let between = authority("between", IS_CA, Some(&tree.ours), (2020, 2100));
    all_shake_hands("a good certificate", leaf(Some(&tree.ours), &[], |_| {}), &ca).await;
    all_shake_hands("a chain", leaf(Some(&between), &[&between], |_| {}), &ca).await;

    let openssl_ca = tree.folder.path().join("openssl.pem");
    all_shake_hands("OpenSSL's", tree.by_openssl("sha256"), &openssl_ca).await;
    let sha1 = (
        "SHA-1",
        tree.by_openssl("sha1"),
        "its certificate is signed in a way that is trusted no longer, as with SHA-1",
    );
    let mut refused = 0;
    for (what, shows, why) in tree.bad_leaves().into_iter().chain(tree.bad_chains()).chain([sha1]) {
        let ca = if what == "SHA-1" { &openssl_ca } else { &ca };
        for (client, heard, said) in ask_all(&Arc::new(shows), ca).await {
            assert!(!heard, "{client} shakes hands with {what}");
            assert!(said == why || !client.starts_with("imap"), "{client}, {what}: {said}");
        }
        refused += 1;
    }
    println!("bad certificates: {refused}, each for six ways to a server");
    assert!(refused >= 12);
}
