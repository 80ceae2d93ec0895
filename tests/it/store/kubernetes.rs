//! The login with a pod's service account: OpenBao's own method, before a small API server of the test's own that
//! reviews tokens as Kubernetes does.

use super::*;
use axum::{Json, Router, routing::post};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyrelay::demo::serve::Server;
use std::sync::{Arc, Mutex};

/// Knows the one token that the kubelet has written last.
struct Cluster {
    server: Server,
    token: Arc<Mutex<String>>,
}

impl Cluster {
    async fn start() -> Self {
        let token = Arc::<Mutex<String>>::default();
        let valid = token.clone();
        let review = move |Json(review): Json<Value>| async move {
            let known = review["spec"]["token"] == *valid.lock().unwrap();
            let user = json!({"username": "system:serviceaccount:tools:keyrelay", "uid": UID, "groups": []});
            let status = match known {
                true => json!({"authenticated": true, "user": user, "audiences": [AUDIENCE]}),
                false => json!({}),
            };
            Json(json!({
                "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status
            }))
        };
        let router = Router::new().route("/apis/authentication.k8s.io/v1/tokenreviews", post(review));
        Self { server: Server::start(router).await.unwrap(), token }
    }

    /// A token that is good from now on, and makes those before it bad.
    fn token(&self, serial: u32) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let head = part(json!({"alg": "RS256", "kid": "one"}));
        let claims = part(json!({
            "iss": "https://kubernetes.default.svc", "aud": [AUDIENCE],
            "sub": "system:serviceaccount:tools:keyrelay", "jti": serial.to_string(),
            "iat": now, "nbf": now, "exp": now + 3_600,
            "kubernetes.io": {"namespace": "tools", "serviceaccount": {"name": "keyrelay", "uid": UID}}
        }));
        let token = format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 256]));
        *self.token.lock().unwrap() = token.clone();
        token
    }
}

const AUDIENCE: &str = "https://kubernetes.default.svc";
const UID: &str = "d77f89bc-9055-11e7-a068-0800276d99bf";

async fn enable(bao: &Bao, ca: &Ca, cluster: &Cluster) {
    bao.approle(PATHS).await;
    bao.must_call(Method::POST, "sys/auth/k8s", json!({"type": "kubernetes"})).await;
    let config = json!({
        "kubernetes_host": format!("http://{}", cluster.server.addr), "disable_local_ca_jwt": true,
        "kubernetes_ca_cert": ca.ca_pem(),
        "token_reviewer_jwt": cluster.token(0)
    });
    let (status, answer) = bao.must_call(Method::POST, "auth/k8s/config", config).await;
    assert_eq!(status, 204, "{answer}");
    let role = json!({
        "bound_service_account_names": "keyrelay", "bound_service_account_namespaces": "tools",
        "token_policies": "keyrelay", "token_ttl": 3_600
    });
    let (status, answer) = bao.must_call(Method::POST, "auth/k8s/role/keyrelay", role).await;
    assert!((200..300).contains(&status), "{answer}");
}

#[tokio::test]
async fn a_service_account_is_let_in_and_its_token_is_read_again_at_each_login() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let cluster = Cluster::start().await;
    enable(&bao, &ca, &cluster).await;
    let scratch = Scratch::new();
    let file = scratch.secret("token", &cluster.token(1));
    let auth = Auth::Kubernetes { role: "keyrelay".into(), jwt: in_file(&file), mount: "k8s".into() };
    let store = open(&bao, auth);
    assert_eq!(store.write(None, PATH, &fields("one"), 0).await, WriteOutcome::Written { version: 1 });
    assert_eq!(store.health().await.unwrap().endings, []);

    // The kubelet has written another one, and the store's token is gone.
    scratch.secret("token", &cluster.token(2));
    bao.must_call(Method::POST, "sys/leases/revoke-prefix/auth/k8s/login", json!({})).await;
    assert_eq!(version(&store).await, (1, "one".to_owned()));

    // One that is of no use any more.
    cluster.token(3);
    bao.must_call(Method::POST, "sys/leases/revoke-prefix/auth/k8s/login", json!({})).await;
    let StoreTrouble::LoggedOut(why) = failed(store.read(None, PATH).await) else { panic!() };
    assert!(why.starts_with("logging in at auth/k8s: "), "{why}");
}
