//! Places on the network: hosts, URLs, sockets. Plain text on the wire is for this machine alone.

use super::{
    Listen,
    read::Item,
    secrets::secret,
    values::{shown, text},
};
use crate::domain::Secret;
use figment::value::Value;
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// The longest path of a Unix socket, in bytes: `sun_path` of unix(7) less its final NUL.
const SOCKET_PATH_MAX: usize = 107;

/// A server's name or address, without a port.
pub(super) fn host(item: &Item) -> Option<String> {
    let text = text(item)?;
    if parse_host(&text).is_some() {
        return Some(text);
    }
    let hint = match text.rsplit_once(':') {
        Some((host, port)) if parse_host(host).is_some() && port.parse::<u16>().is_ok() => {
            format!("write host: {host} and port: {port}")
        }
        _ => "write a name or an IP address, without scheme and port".to_owned(),
    };
    item.refuse_with(format!("\"{}\" is no host", shown(&text)), hint)
}

fn parse_host(text: &str) -> Option<Host> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Some(Host::Ipv4(address)),
        Ok(IpAddr::V6(address)) => Some(Host::Ipv6(address)),
        Err(_) => Host::parse(text).ok().filter(|host| matches!(host, Host::Domain(_))),
    }
}

/// Whether a host is this machine by its very name: 127.0.0.0/8, `::1`, `localhost`.
pub(super) fn is_loopback(host: &str) -> bool {
    parse_host(host).is_some_and(|host| is_loopback_host(&host))
}

fn is_loopback_host<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether a URL leads to this machine.
pub(super) fn is_loopback_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.host().is_some_and(|host| is_loopback_host(&host)))
}

/// `https://host[:port]/path`; `http` only to loopback. A refused URL is not shown: it may hold a password.
pub(super) fn url(item: &Item) -> Option<String> {
    let text = text(item)?;
    let Ok(url) = Url::parse(&text) else {
        return item.refuse_with("this is no URL", "write it as https://host:port/path");
    };
    let Some(host) = url.host() else {
        return item.refuse_with("the URL names no host", "write it as https://host:port/path");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return item.refuse("the URL holds a login, which would end up in logs");
    }
    if url.fragment().is_some() {
        return item.refuse("the URL ends in #…, which no server ever sees");
    }
    match url.scheme() {
        "https" => Some(text),
        "http" if is_loopback_host(&host) => Some(text),
        "http" => item.refuse_with(format!("plain http to {host}, which is not this machine"), "use https"),
        other => item.refuse_with(format!("{other} is not spoken here"), "use https"),
    }
}

/// The same, or a reference to a secret that is one: the path of such an address may be all that guards it.
pub(super) fn secret_url(item: &Item) -> Option<Secret> {
    let Value::Dict(..) = item.value() else { return url(item).map(|text| Secret::new(&text)) };
    let secret = secret(item)?;
    let is_sound = |url: Url| {
        let encrypted = url.scheme() == "https" && url.host().is_some();
        let here = url.scheme() == "http" && url.host().is_some_and(|host| is_loopback_host(&host));
        let login = !url.username().is_empty() || url.password().is_some();
        (encrypted || here) && !login && url.fragment().is_none()
    };
    if secret.is_missing() || Url::parse(secret.expose()).is_ok_and(is_sound) {
        return Some(secret);
    }
    item.refuse_with(
        "the secret is no address: https (http only to this machine), no login in it, no #…",
        "write it as https://host:port/path",
    )
}

/// A server's URL without a path: `https://vault.example.com:8200`.
pub(super) fn origin(item: &Item) -> Option<String> {
    let text = url(item)?;
    let Ok(url) = Url::parse(&text) else { return None };
    if url.path() != "/" || url.query().is_some() {
        return item.refuse_with("the address holds a path", "end it after host and port");
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// `IP:PORT`.
pub(super) fn socket(item: &Item) -> Option<SocketAddr> {
    let text = text(item)?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => item.refuse_with(
            format!("\"{}\" is no IP:PORT", shown(&text)),
            "write it as 127.0.0.1:53 or [::1]:53",
        ),
    }
}

/// `off` (YAML may have made it `false`), one socket, or a list of them.
pub(super) fn listen(item: &Item) -> Option<Vec<Listen>> {
    match item.value() {
        Value::Bool(_, false) => return Some(Vec::new()),
        Value::String(_, text) if text == "off" || text == "false" => return Some(Vec::new()),
        _ => {}
    }
    let sockets = item.one_or_list(listen_socket)?;
    match (1..sockets.len()).find(|at| sockets[..*at].contains(&sockets[*at])) {
        Some(at) => item.refuse(format!("the socket of [{at}] is there twice")),
        None => Some(sockets),
    }
}

fn listen_socket(item: &Item) -> Option<Listen> {
    const HINT: &str = "write 127.0.0.1:PORT, [::1]:PORT, unix:/PATH, or off";
    let text = text(item)?;
    if let Some(path) = text.strip_prefix("unix:") {
        return match path.starts_with('/') {
            true => socket_path(item, path).map(|path| Listen::Unix(path.into())),
            false => item.refuse_with("the socket's path is not absolute", HINT),
        };
    }
    match text.replace("localhost:", "127.0.0.1:").parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Some(Listen::Tcp(address)),
        Ok(address) => item
            .refuse_with(format!("{} is not a loopback address: others could reach it", address.ip()), HINT),
        Err(_) => item.refuse_with(format!("\"{}\" is no socket", shown(&text)), HINT),
    }
}

/// The path of a Unix socket, which the kernel limits.
pub(super) fn socket_path<'a>(item: &Item, path: &'a str) -> Option<&'a str> {
    if path.len() > SOCKET_PATH_MAX {
        return item.refuse(format!(
            "a socket's path has at most {SOCKET_PATH_MAX} bytes, this one has {}",
            path.len()
        ));
    }
    Some(path)
}
