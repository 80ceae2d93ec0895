//! The way to the server: TCP, TLS, login.

use super::line_stream::LineStream;
use super::trouble::{Trouble, io_silence, trouble};
use super::{Settings, Smtp, Tls};
use crate::domain::Secret;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::extension::ClientId;
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::io;
use std::path::Path;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Both send the password itself, over TLS or on loopback.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// One address of a server may use one part in so many of the time, so that another is tried as well.
const ADDRESS_PART: u32 = 4;

pub(super) enum Security {
    None,
    StartTls(TlsParameters),
    Implicit(TlsParameters),
}

pub(super) fn security(settings: &Settings) -> Result<Security, String> {
    match settings.tls {
        Tls::None => Ok(Security::None),
        Tls::StartTls => trust(settings).map(Security::StartTls),
        Tls::Implicit => trust(settings).map(Security::Implicit),
    }
}

/// Whom to believe: the private CA and nobody else, or whom this machine believes.
fn trust(settings: &Settings) -> Result<TlsParameters, String> {
    let host = &settings.host;
    ServerName::try_from(host.as_str())
        .map_err(|_| format!("alerts.email.smtp.host: \"{host}\" is no host name: TLS needs one"))?;
    let parameters = TlsParameters::builder(host.clone());
    let parameters = match &settings.ca_cert {
        Some(path) => private_ca(parameters, path).map_err(|why| {
            format!("alerts.email.smtp.ca_cert: {}: {why}; it must be a readable PEM file", path.display())
        })?,
        None => parameters,
    };
    parameters.build().map_err(|_| {
        "alerts.email.smtp: this machine has no certificates to trust: install ca-certificates, or set ca_cert".into()
    })
}

fn private_ca(parameters: TlsParametersBuilder, path: &Path) -> Result<TlsParametersBuilder, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "a certificate in it cannot be read".to_owned())?;
    if certificates.is_empty() {
        return Err("no certificate is in it".into());
    }
    let empty = parameters.certificate_store(CertificateStore::None);
    certificates.into_iter().try_fold(empty, |parameters, der| {
        let certificate =
            Certificate::from_der(der.to_vec()).map_err(|_| "a certificate in it is broken".to_owned())?;
        Ok(parameters.add_root_certificate(certificate))
    })
}

/// The name for EHLO: this machine's, in the sender's domain where it is not complete. Some relays turn away who names
/// no domain, others who names theirs alone.
pub(super) fn hello(from: &str) -> ClientId {
    let legal = |text: &str| {
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect::<String>()
    };
    let node = legal(&rustix::system::uname().nodename().to_string_lossy());
    let domain = legal(from.rsplit_once('@').map_or("", |(_, domain)| domain));
    match (node.contains('.'), node.is_empty() || domain.is_empty()) {
        (true, _) => ClientId::Domain(node),
        (false, false) => ClientId::Domain(format!("{node}.{domain}")),
        (false, true) => ClientId::default(),
    }
}

impl Smtp {
    /// A connection that is encrypted and logged in as configured.
    pub(super) async fn open(&self, doing: &mut String) -> Result<AsyncSmtpConnection, Trouble> {
        let mut connection = match &self.security {
            Security::None => self.greeted().await?,
            Security::StartTls(trust) => {
                let mut connection = self.greeted().await?;
                *doing = "asking for STARTTLS".into();
                if !connection.can_starttls() {
                    return Err(Trouble::Silent(
                        "offers no STARTTLS: see alerts.email.smtp.tls and port".into(),
                    ));
                }
                connection.starttls(trust.clone(), &self.hello).await.map_err(|error| unusable(&error))?;
                connection
            }
            Security::Implicit(trust) => {
                let server = (self.settings.host.as_str(), self.settings.port);
                let one_address = Some(self.timeout / ADDRESS_PART);
                AsyncSmtpConnection::connect_tokio1(
                    server,
                    one_address,
                    &self.hello,
                    Some(trust.clone()),
                    None,
                )
                .await
                .map_err(|error| unusable(&error))?
            }
        };
        if let Some(password) = &self.settings.password {
            *doing = "logging in".into();
            self.login(&mut connection, password).await?;
        }
        Ok(connection)
    }

    /// TCP, greeting and EHLO, in clear.
    async fn greeted(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let stream = self.tcp().await.map_err(|error| Trouble::Silent(io_silence(&error)))?;
        AsyncSmtpConnection::connect_with_transport(Box::new(LineStream(stream)), &self.hello)
            .await
            .map_err(|error| unusable(&error))
    }

    async fn tcp(&self) -> io::Result<TcpStream> {
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in lookup_host((self.settings.host.as_str(), self.settings.port)).await? {
            match timeout(self.timeout / ADDRESS_PART, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
            }
        }
        Err(failed)
    }

    /// A refusal shows the status and none of the text, in which a server may repeat what it was given.
    async fn login(&self, connection: &mut AsyncSmtpConnection, password: &Secret) -> Result<(), Trouble> {
        if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
            let why =
                "offers no login (AUTH PLAIN or LOGIN): see alerts.email.smtp.tls and port, or drop password";
            return Err(Trouble::Passing(why.into()));
        }
        let user = self.user();
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        let answer = connection.auth(&MECHANISMS, &credentials).await;
        answer.map(drop).map_err(|error| match error.status() {
            Some(code) => Trouble::Passing(format!(
                "refused the login of \"{user}\" with {code} (check alerts.email.smtp.user and its password)"
            )),
            None => trouble(&error),
        })
    }

    /// The configured user, or the sender's address.
    fn user(&self) -> String {
        let address = || self.settings.from.parse().map(|from: Mailbox| from.email.to_string());
        self.settings.user.clone().or_else(|| address().ok()).unwrap_or_else(|| self.settings.from.clone())
    }
}

/// A refusal before the mail is mentioned is not about the mail: it may go another time.
fn unusable(error: &lettre::transport::smtp::Error) -> Trouble {
    match trouble(error) {
        Trouble::Permanent(why) | Trouble::Passing(why) => Trouble::Passing(why),
        Trouble::Silent(why) => Trouble::Silent(why),
    }
}
