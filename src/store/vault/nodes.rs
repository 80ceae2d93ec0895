//! The nodes of one cluster, and which of them is asked: the active one, because a standby's answers may be old.

use reqwest::{Url, header::HeaderValue};
use std::{
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

pub(super) struct Nodes {
    urls: Vec<Url>,
    active: AtomicUsize,
}

/// No node is known to be active.
const UNKNOWN: usize = usize::MAX;

impl Nodes {
    pub fn new(addresses: &[String]) -> Result<Self, String> {
        let urls: Vec<_> = addresses.iter().map(|address| node(address)).collect::<Result<_, _>>()?;
        match urls.len() {
            0 => Err("store.vault.address: it names no node".to_owned()),
            // Alone it may be a whole cluster behind one address.
            1 => Ok(Self { urls, active: AtomicUsize::new(0) }),
            _ => Ok(Self { urls, active: AtomicUsize::new(UNKNOWN) }),
        }
    }
    pub fn count(&self) -> usize {
        self.urls.len()
    }
    pub fn url(&self, node: usize) -> &Url {
        &self.urls[node]
    }
    /// `vault-1.example.com:8200`
    pub fn name(&self, node: usize) -> String {
        host(&self.urls[node])
    }
    pub fn active(&self) -> Option<usize> {
        Some(self.active.load(Relaxed)).filter(|node| *node != UNKNOWN)
    }
    pub fn found_active(&self, node: usize) {
        self.active.store(node, Relaxed);
    }
    /// It is not known to be active any more; one that stands alone is asked all the same.
    pub fn forget(&self, node: usize) {
        if self.count() > 1 {
            // Another call may have found the new one already.
            let _ = self.active.compare_exchange(node, UNKNOWN, Relaxed, Relaxed);
        }
    }
    /// Which of ours a redirect leads to: to scheme, host and port as they are configured, and to nobody else.
    pub fn at(&self, url: &Url) -> Option<usize> {
        self.urls.iter().position(|node| node.origin() == url.origin())
    }
}

fn node(address: &str) -> Result<Url, String> {
    let refused = |why: &str| format!("store.vault.address: {why}; write it as https://HOST:PORT");
    let url = Url::parse(address).map_err(|_| refused("it is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a user or a password"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has more than a host and a port"));
    }
    let Some(host) = url.host_str() else { return Err(refused("it names no host")) };
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let loopback = ip.map_or(host == "localhost", |ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(refused("plain http is for this host only")),
        _ => Err(refused("it is neither https nor http")),
    }
}

/// vaultrs panics where it is no header's value.
pub(super) fn namespace(name: &str) -> Result<Option<String>, String> {
    match HeaderValue::from_str(name) {
        Ok(_) if name.is_empty() => Ok(None),
        Ok(_) => Ok(Some(name.to_owned())),
        Err(_) => Err("store.vault.namespace: it holds a control character".to_owned()),
    }
}

/// `host:port`
pub(super) fn host(url: &Url) -> String {
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "nowhere".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(addresses: &[&str]) -> Nodes {
        Nodes::new(&addresses.iter().map(|address| (*address).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn an_address_is_https_and_a_host_or_plain_on_loopback() {
        for good in
            ["https://vault.example.com", "https://10.0.0.1:8200/", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            assert!(node(good).is_ok(), "{good}");
        }
        let hint = "write it as https://HOST:PORT";
        for (bad, why) in [
            ("vault", "it is no URL"),
            ("http://vault.example.com", "plain http is for this host only"),
            ("ftp://127.0.0.1", "it is neither https nor http"),
            ("https://vault/ui", "it has more than a host and a port"),
            ("https://user:canary@vault", "it holds a user or a password"),
        ] {
            assert_eq!(node(bad).unwrap_err(), format!("store.vault.address: {why}; {hint}"));
        }
    }

    #[test]
    fn of_several_nodes_none_is_active_before_it_was_found_so_and_a_lone_one_always_is() {
        let several = nodes(&["https://a:1", "https://b:1"]);
        assert_eq!(several.active(), None);
        several.found_active(1);
        several.forget(0);
        assert_eq!(several.active(), Some(1), "what is said of one is not said of the other");
        several.forget(1);
        assert_eq!(several.active(), None);
        let lone = nodes(&["https://a:1"]);
        lone.forget(0);
        assert_eq!(lone.active(), Some(0));
    }

    #[test]
    fn r48_s21_a_redirect_leads_to_a_configured_node_or_nowhere() {
        let nodes = nodes(&["https://vault-1:8200", "https://vault-2"]);
        let at = |url: &str| nodes.at(&Url::parse(url).unwrap());
        assert_eq!(at("https://vault-2:443/v1/secret/data/x?a=b"), Some(1));
        for foreign in
            ["http://vault-1:8200/v1/x", "https://vault-1:8201/v1/x", "https://vault-1.evil:8200/v1/x"]
        {
            assert_eq!(at(foreign), None, "{foreign}");
        }
    }
}
