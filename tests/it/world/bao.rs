//! One node of OpenBao on raft storage, so that it can be sealed, killed and started again; alone, or of a cluster. It
//! writes its audit log, in which whatever is no JSON text would stand in clear.

use super::{Ca, Port, Scratch, Server, Tap, install_tls, secrets, tool, until};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// A way in with limited rights.
pub struct AppRole {
    pub role_id: String,
    pub secret_id: String,
}

/// Unsealed, with KV version 2 at `secret/` and AppRole at `approle/`. Paths are as the configuration has them:
/// `vendors/leaf7/main`.
pub struct Bao {
    server: Option<Server>,
    dir: Scratch,
    port: Port,
    cluster: Port,
    /// Where the others reach it, if not at its own port.
    reached_at: Option<u16>,
    http: reqwest::Client,
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
    root_token: String,
    unseal_key: String,
    /// The address of the node whose cluster this one joins.
    joins: Option<String>,
    /// It may be unsealed without being active.
    pub(super) has_peers: bool,
}

impl Bao {
    pub async fn start(ca: &Ca) -> Self {
        let mut bao = Self::new(ca, None);
        bao.start_sealed().await;
        let keys = bao.ask(Method::PUT, "sys/init", json!({"secret_shares": 1, "secret_threshold": 1})).await;
        bao.root_token = text(&keys, "/root_token");
        bao.unseal_key = text(&keys, "/keys/0");
        secrets::note(&bao.root_token);
        secrets::note(&bao.unseal_key);
        bao.unseal().await;
        bao.ask(Method::POST, "sys/mounts/secret", json!({"type": "kv", "options": {"version": "2"}})).await;
        bao.ask(Method::POST, "sys/auth/approle", json!({"type": "approle"})).await;
        until("OpenBao's KV engine is ready", async || {
            let (status, _) = bao.call(Method::GET, "secret/config", Value::Null).await?;
            (status == 200).then_some(())
        })
        .await;
        bao
    }

    /// Another node of the cluster of `first`; unsealed, a standby.
    pub async fn join(ca: &Ca, first: &Bao) -> Self {
        Self::new(ca, Some(first.address())).joined(first).await
    }
    /// The same, with a wire on the others' way to it.
    pub async fn join_tapped(ca: &Ca, first: &Bao) -> (Self, Tap) {
        let mut bao = Self::new(ca, Some(first.address()));
        let tap = Tap::to(bao.cluster.number).await;
        bao.reached_at = Some(tap.port());
        (bao.joined(first).await, tap)
    }
    async fn joined(self, first: &Bao) -> Self {
        let mut bao = self;
        bao.start_sealed().await;
        (bao.root_token, bao.unseal_key) = (first.root_token.clone(), first.unseal_key.clone());
        bao.unseal().await;
        bao
    }

    fn new(ca: &Ca, joins: Option<String>) -> Self {
        install_tls();
        let trusted = reqwest::Certificate::from_pem(ca.ca_pem().as_bytes()).expect("a certificate");
        let http = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy().build().expect("a client");
        let (dir, port, cluster) = (Scratch::new(), Port::free(), Port::free());
        let (cert, key) = (ca.cert_path(), ca.key_path());
        dir.folder("raft");
        let (root_token, unseal_key) = Default::default();
        Self {
            server: None,
            dir,
            port,
            cluster,
            reached_at: None,
            http,
            ca: ca.ca_path(),
            cert,
            key,
            root_token,
            unseal_key,
            has_peers: joins.is_some(),
            joins,
        }
    }

    pub fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port.number)
    }
    pub fn port(&self) -> u16 {
        self.port.number
    }
    pub fn ca_path(&self) -> PathBuf {
        self.ca.clone()
    }
    pub fn root_token(&self) -> &str {
        &self.root_token
    }

    /// The `store` of a configuration, with an AppRole that may do what keyrelay must on these paths.
    pub async fn store(&self, paths: &[&str]) -> Value {
        let role = self.approle(paths).await;
        let secret_id = self.dir.secret("secret-id", &role.secret_id);
        json!({"vault": {"address": self.address(), "ca_cert": self.ca,
            "auth": {"approle": {"role_id": role.role_id, "secret_id": {"file": secret_id}}}}})
    }

    /// An AppRole with rights on these paths and on `keyrelay/`; its tokens live for an hour.
    pub async fn approle(&self, paths: &[&str]) -> AppRole {
        self.approle_with(paths, 3600).await
    }

    /// The same with tokens that live for `ttl_secs`, and cannot be renewed beyond twice that.
    pub async fn approle_with(&self, paths: &[&str], ttl_secs: u32) -> AppRole {
        self.put_policy(paths).await;
        let limits =
            json!({"token_policies": "keyrelay", "token_ttl": ttl_secs, "token_max_ttl": 2 * ttl_secs});
        self.ask(Method::POST, "auth/approle/role/keyrelay", limits).await;
        let role = self.ask(Method::GET, "auth/approle/role/keyrelay/role-id", Value::Null).await;
        let secret = self.ask(Method::POST, "auth/approle/role/keyrelay/secret-id", json!({})).await;
        let secret_id = text(&secret, "/data/secret_id");
        secrets::note(&secret_id);
        AppRole { role_id: text(&role, "/data/role_id"), secret_id }
    }

    /// A renewable token with the same rights, for `ttl_secs`.
    pub async fn token(&self, paths: &[&str], ttl_secs: u32) -> String {
        self.put_policy(paths).await;
        let wish = json!({"policies": ["keyrelay"], "ttl": format!("{ttl_secs}s"), "renewable": true});
        let token = text(&self.ask(Method::POST, "auth/token/create", wish).await, "/auth/client_token");
        secrets::note(&token);
        token
    }

    pub async fn revoke(&self, token: &str) {
        self.ask(Method::POST, "auth/token/revoke", json!({"token": token})).await;
    }

    /// The newest version's data; `None` where there is none, or it is deleted.
    pub async fn read(&self, path: &str) -> Option<Value> {
        let (status, answer) = self.must_call(Method::GET, &format!("secret/data/{path}"), Value::Null).await;
        match status {
            200 => Some(answer["data"]["data"].clone()),
            404 => None,
            other => panic!("reading {path}: {other} {answer}"),
        }
    }
    /// The same of a node that may not answer.
    pub async fn read_if_it_answers(&self, path: &str) -> Option<Value> {
        let (status, answer) = self.call(Method::GET, &format!("secret/data/{path}"), Value::Null).await?;
        (status == 200).then(|| answer["data"]["data"].clone())
    }
    /// Writes without check-and-set, as anybody else would; returns the version written.
    pub async fn write(&self, path: &str, data: Value) -> u64 {
        if let Some(key) = data["api_key"].as_str() {
            secrets::note(key);
        }
        let answer = self.ask(Method::POST, &format!("secret/data/{path}"), json!({"data": data})).await;
        answer["data"]["version"].as_u64().unwrap_or_else(|| panic!("no version in {answer}"))
    }
    /// Deletes the newest version; it can be undeleted.
    pub async fn delete(&self, path: &str) {
        self.ask(Method::DELETE, &format!("secret/data/{path}"), Value::Null).await;
    }
    /// `current_version`, `versions`, `custom_metadata` and the like; `None` where nothing was ever written.
    pub async fn metadata(&self, path: &str) -> Option<Value> {
        let (status, answer) =
            self.must_call(Method::GET, &format!("secret/metadata/{path}"), Value::Null).await;
        (status == 200).then(|| answer["data"].clone())
    }
    /// How many versions were ever written.
    pub async fn versions(&self, path: &str) -> u64 {
        self.metadata(path).await.and_then(|data| data["current_version"].as_u64()).unwrap_or(0)
    }

    pub async fn seal(&self) {
        self.ask(Method::PUT, "sys/seal", Value::Null).await;
    }
    /// Returns when it is active again or, in a cluster, works as a standby.
    pub async fn unseal(&self) {
        self.unseal_alone().await;
        until("OpenBao is unsealed", async || {
            let (status, _) = self.call(Method::GET, "sys/health", Value::Null).await?;
            (status == 200 || (status == 429 && self.has_peers)).then_some(())
        })
        .await;
    }
    /// Returns when it has the key: what it becomes is the others' matter, too.
    pub async fn unseal_alone(&self) {
        // A node that is about to join says at first that it is not initialised.
        until("OpenBao takes the key", async || {
            let (status, _) = self.call(Method::PUT, "sys/unseal", json!({"key": self.unseal_key})).await?;
            (status == 200).then_some(())
        })
        .await;
    }
    /// Whether it leads its cluster; not where it does not answer.
    pub async fn is_active(&self) -> bool {
        let health = self.call(Method::GET, "sys/health", Value::Null).await;
        health.is_some_and(|(status, _)| status == 200)
    }
    /// Another node becomes active.
    pub async fn step_down(&self) {
        self.ask(Method::PUT, "sys/step-down", Value::Null).await;
    }
    /// SIGKILL.
    pub fn kill(&mut self) {
        self.server = None;
    }
    /// SIGSTOP: it accepts connections and answers nothing.
    pub fn freeze(&self) {
        self.running().signal(Signal::STOP);
    }
    pub fn thaw(&self) {
        self.running().signal(Signal::CONT);
    }
    /// On the same port with the same data; sealed, as every start is.
    pub async fn start_sealed(&mut self) {
        let config = self.dir.write("bao.hcl", &self.configuration());
        let args = ["server".into(), format!("-config={}", config.display())];
        let server = Server::start(&tool("bao"), args, &[], &self.dir.join("log"));
        self.server = Some(server);
        until("OpenBao answers", async || {
            if let Some(server) = &mut self.server {
                server.assert_running();
            }
            self.call(Method::GET, "sys/seal-status", Value::Null).await
        })
        .await;
    }

    /// One request as root: status and JSON body. Panics when nobody answers.
    pub async fn must_call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.call(method, path, body).await.unwrap_or_else(|| panic!("OpenBao does not answer ({path})"))
    }

    /// The status of one request with this token in root's place; a POST writes a document.
    pub async fn status_as(&self, token: &str, method: Method, path: &str) -> u16 {
        let mut request = self.http.request(method.clone(), format!("{}/v1/{path}", self.address()));
        if method == Method::POST {
            request = request.json(&json!({"data": {"some": "text"}}));
        }
        let answer = request.header("X-Vault-Token", token).send().await;
        answer.expect("OpenBao answers").status().as_u16()
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.must_call(method, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// `None`: it does not answer.
    pub async fn try_call(&self, method: Method, path: &str, body: Value) -> Option<(u16, Value)> {
        self.call(method, path, body).await
    }
    async fn call(&self, method: Method, path: &str, body: Value) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}/v1/{path}", self.address()));
        if !self.root_token.is_empty() {
            request = request.header("X-Vault-Token", &self.root_token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, serde_json::from_slice(&answer.bytes().await.ok()?).unwrap_or(Value::Null)))
    }

    async fn put_policy(&self, paths: &[&str]) {
        let mut policy = String::from("path \"auth/token/renew-self\" { capabilities = [\"update\"] }\n");
        policy += "path \"secret/config\" { capabilities = [\"read\"] }\n";
        for path in paths.iter().copied().chain(["keyrelay/*"]) {
            policy += &format!(
                "path \"secret/data/{path}\" {{ capabilities = [\"create\", \"read\", \"update\"] }}\n"
            );
            policy += &format!("path \"secret/metadata/{path}\" {{ capabilities = [\"read\", \"list\"] }}\n");
        }
        self.ask(Method::POST, "sys/policies/acl/keyrelay", json!({"policy": policy})).await;
    }

    /// What it has written down of each request and answer.
    pub fn audit_log(&self) -> Vec<u8> {
        fs::read(self.dir.join("audit.log")).unwrap_or_default()
    }

    fn running(&self) -> &Server {
        self.server.as_ref().expect("OpenBao runs")
    }

    fn configuration(&self) -> String {
        let (dir, port, cluster) = (self.dir.path().display(), self.port.number, self.cluster.number);
        let reached = self.reached_at.unwrap_or(cluster);
        let (cert, key, ca) = (self.cert.display(), self.key.display(), self.ca.display());
        let join = self.joins.as_ref().map_or(String::new(), |first| {
            format!("retry_join {{\n leader_api_addr = \"{first}\"\n leader_ca_cert_file = \"{ca}\"\n }}")
        });
        // The devices of a cluster must be the same on all nodes, and a path of its own is none.
        let audit = self.joins.is_none().then(|| {
            format!("audit \"file\" \"file\" {{\n options {{\n file_path = \"{dir}/audit.log\"\n }}\n}}")
        });
        let audit = audit.unwrap_or_default();
        format!(
            r#"storage "raft" {{
  path = "{dir}/raft"
  node_id = "{port}"
  performance_multiplier = 1
  {join}
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster}"
  tls_cert_file = "{cert}"
  tls_key_file = "{key}"
}}
api_addr = "https://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{reached}"
{audit}
"#
        )
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        secrets::none_in("OpenBao's audit log", &self.audit_log());
    }
}

fn text(answer: &Value, pointer: &str) -> String {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in an answer"))
        .to_owned()
}
