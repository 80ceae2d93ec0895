//! Asked as the daemon asks: by the resolver that it verifies signatures with.

use super::*;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::net::NetError;
use mail_auth::hickory_resolver::net::runtime::TokioRuntimeProvider;
use mail_auth::hickory_resolver::{Resolver, TokioResolver};
use std::time::Duration;

const NAME: &str = "s1._domainkey.leaf7.fun";

fn resolver(server: &DnsServer) -> TokioResolver {
    resolver_within(server, Duration::from_secs(10))
}

fn resolver_within(server: &DnsServer, timeout: Duration) -> TokioResolver {
    let mut name_server = NameServerConfig::udp_and_tcp(server.addr().ip());
    name_server.connections.iter_mut().for_each(|connection| connection.port = server.addr().port());
    let mut options = ResolverOpts::default();
    (options.timeout, options.attempts) = (timeout, 1);
    let config = ResolverConfig::from_parts(None, vec![], vec![name_server]);
    Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .unwrap()
}

async fn texts(resolver: &TokioResolver, name: &str) -> Result<Vec<String>, NetError> {
    let found = resolver.txt_lookup(format!("{name}.")).await?;
    let text =
        |data: &TXT| data.txt_data.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    Ok(found
        .answers()
        .iter()
        .filter_map(|record| if let RData::TXT(data) = &record.data { Some(text(data)) } else { None })
        .collect())
}

fn records(texts: &[&str]) -> TxtBehaviour {
    TxtBehaviour::Records(texts.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn the_table_answers_and_its_changes_count_at_once() {
    let server = start().await.unwrap();
    let resolver = resolver(&server);
    server.set(NAME, records(&["v=DKIM1; p=first"]));
    assert_eq!(texts(&resolver, "S1._DomainKey.Leaf7.FUN").await.unwrap(), ["v=DKIM1; p=first"]);
    server.set(NAME, records(&["v=DKIM1; p=second", "another record"]));
    assert_eq!(texts(&resolver, NAME).await.unwrap(), ["v=DKIM1; p=second", "another record"]);
    assert_eq!(server.questions(NAME), 2);
}

#[tokio::test]
async fn an_answer_too_large_for_udp_comes_over_tcp() {
    let server = start().await.unwrap();
    let large = "0123456789".repeat(1_000);
    server.set(NAME, records(&[&large]));
    assert_eq!(texts(&resolver(&server), NAME).await.unwrap(), [large]);
    assert_eq!(server.questions(NAME), 2, "once by each transport");
}

#[tokio::test]
async fn a_name_that_does_not_exist_and_one_without_records_have_none() {
    let server = start().await.unwrap();
    server.set(NAME, records(&[]));
    server.set("gone.leaf7.fun", TxtBehaviour::NoSuchName);
    for name in [NAME, "gone.leaf7.fun", "never.set"] {
        let error = texts(&resolver(&server), name).await.unwrap_err();
        assert!(error.is_no_records_found(), "{name}: {error}");
        assert_eq!(error.is_nx_domain(), name != NAME, "{name}: {error}");
    }
}

#[tokio::test]
async fn a_failing_server_is_neither_an_answer_nor_no_name() {
    let server = start().await.unwrap();
    for behaviour in [TxtBehaviour::ServerFailure, TxtBehaviour::Silent] {
        server.set(NAME, behaviour.clone());
        let resolver = resolver_within(&server, Duration::from_millis(300));
        let error = texts(&resolver, NAME).await.unwrap_err();
        assert!(!error.is_nx_domain(), "{behaviour:?}: {error}");
        assert!(server.questions(NAME) > 0);
    }
}

#[tokio::test]
async fn an_alias_leads_on_and_one_to_itself_ends() {
    let server = start().await.unwrap();
    server.set(NAME, TxtBehaviour::Alias("elsewhere.leaf7.fun".into()));
    server.set("elsewhere.leaf7.fun", records(&["v=DKIM1; p=there"]));
    assert_eq!(texts(&resolver(&server), NAME).await.unwrap(), ["v=DKIM1; p=there"]);
    server.set("elsewhere.leaf7.fun", TxtBehaviour::Alias(NAME.into()));
    let looped = tokio::time::timeout(Duration::from_secs(5), texts(&resolver(&server), NAME)).await;
    assert_eq!(looped.expect("a loop of aliases ends").unwrap_or_default(), Vec::<String>::new());
}

#[tokio::test]
async fn garbage_and_answers_are_ignored_and_the_server_goes_on() {
    let server = start().await.unwrap();
    server.set(NAME, records(&["still there"]));
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let answer = Message::response(7, OpCode::Query).to_vec().unwrap();
    for packet in [&b""[..], b"\0", &[0xff; 600], &answer] {
        stranger.send_to(packet, server.addr()).await.unwrap();
    }
    let mut half = TcpStream::connect(server.addr()).await.unwrap();
    half.write_all(&[0xff, 0xff, 1, 2, 3]).await.unwrap();
    drop(half);
    assert_eq!(texts(&resolver(&server), NAME).await.unwrap(), ["still there"]);
}
