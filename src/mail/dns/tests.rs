use super::*;
use tokio::net::UdpSocket;

/// A name server on loopback that gives every question the same answer; `None`: it is silent.
async fn server(answer: Option<(u8, Vec<Vec<&'static str>>)>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut question).await {
            if let Some((code, records)) = &answer {
                socket.send_to(&reply(&question[..len], *code, records), from).await.unwrap();
            }
        }
    });
    address
}

/// RFC 1035 §4.1: the question's own header and name, then TXT records that point to that name.
fn reply(question: &[u8], code: u8, records: &[Vec<&str>]) -> Vec<u8> {
    let name = question[12..].iter().position(|b| *b == 0).unwrap() + 1;
    let count = u8::try_from(records.len()).unwrap();
    let mut reply = [&question[..2], &[0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0][..]].concat();
    reply.extend(&question[12..12 + name + 4]);
    for record in records {
        let data: Vec<u8> = record
            .iter()
            .flat_map(|chunk| [&[u8::try_from(chunk.len()).unwrap()], chunk.as_bytes()].concat())
            .collect();
        reply.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        reply.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        reply.extend(data);
    }
    reply
}

async fn asked(servers: Vec<SocketAddr>, name: &str) -> TxtAnswer {
    let resolver = Resolver::new(&Settings { servers }, Duration::from_millis(900)).unwrap();
    resolver.txt(name).await
}

#[tokio::test]
async fn chunks_are_joined_and_records_are_kept_apart() {
    let server = server(Some((0, vec![vec!["v=DKIM1; ", "p=AAAA"], vec!["other"]]))).await;
    let TxtAnswer::Found(mut records) = asked(vec![server], "s1._domainkey.leaf7.fun").await else {
        panic!()
    };
    records.sort();
    assert_eq!(records, ["other", "v=DKIM1; p=AAAA"]);
}

#[tokio::test]
async fn a_name_that_does_not_exist_or_has_no_text_is_missing() {
    for code in [0, 3] {
        let server = server(Some((code, Vec::new()))).await;
        assert_eq!(asked(vec![server], "s1._domainkey.leaf7.fun").await, TxtAnswer::Missing, "code {code}");
    }
}

#[tokio::test]
async fn a_server_that_fails_or_refuses_or_is_silent_or_gone_is_trouble() {
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let servers =
        [server(Some((2, Vec::new()))).await, server(Some((5, Vec::new()))).await, server(None).await, gone];
    for (server, case) in servers.into_iter().zip(["SERVFAIL", "REFUSED", "silent", "gone"]) {
        let answer = asked(vec![server], "s1._domainkey.leaf7.fun").await;
        assert!(matches!(answer, TxtAnswer::Trouble(_)), "{case}: {answer:?}");
    }
}

#[tokio::test]
async fn a_second_server_answers_for_a_silent_one() {
    let servers = vec![server(None).await, server(Some((0, vec![vec!["v=DKIM1; p=AAAA"]]))).await];
    let found = TxtAnswer::Found(vec!["v=DKIM1; p=AAAA".into()]);
    assert_eq!(asked(servers, "s1._domainkey.leaf7.fun").await, found);
}

#[tokio::test]
async fn what_is_no_name_is_not_asked() {
    let server = server(Some((0, vec![vec!["found"]]))).await;
    assert_eq!(asked(vec![server], "a..b").await, TxtAnswer::Missing);
}
