//! A small name server on loopback, over UDP and TCP: it answers TXT questions from a table that its owner changes
//! while it runs, and misbehaves for single names on demand. It knows nothing of DKIM.

use mail_auth::hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use mail_auth::hickory_resolver::proto::rr::rdata::{CNAME, TXT};
use mail_auth::hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// So often another free port is tried, when one is free for TCP and not for UDP.
const PORT_TRIES: usize = 16;

/// What a UDP answer may hold for who names no size (RFC 1035 §4.2.1).
const UDP_BYTES: u16 = 512;

/// A character string of a TXT record (RFC 1035 §3.3).
const TXT_STRING_BYTES: usize = 255;

/// What a question for a name's TXT records meets. Names that were never set do not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxtBehaviour {
    /// One record each; a text of more than 255 bytes is cut into several strings of one record. Empty: the name
    /// exists and has no TXT record.
    Records(Vec<String>),
    /// An alias of that name; the question is to be asked again there.
    Alias(String),
    NoSuchName,
    ServerFailure,
    /// No answer.
    Silent,
}

/// A handle; the server is gone with the last one.
#[derive(Clone)]
pub struct DnsServer {
    addr: SocketAddr,
    table: Table,
    _tasks: Arc<JoinSet<()>>,
}

type Table = Arc<Mutex<HashMap<String, Entry>>>;

#[derive(Default)]
struct Entry {
    behaviour: Option<TxtBehaviour>,
    questions: u64,
}

/// Listens on a free port of 127.0.0.1, the same for UDP and TCP.
pub async fn start() -> io::Result<DnsServer> {
    let (udp, tcp) = bind().await?;
    let addr = udp.local_addr()?;
    let table = Table::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve_udp(udp, table.clone()));
    tasks.spawn(serve_tcp(tcp, table.clone()));
    Ok(DnsServer { addr, table, _tasks: Arc::new(tasks) })
}

impl DnsServer {
    /// For `dns.servers`.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From the next question on. `name` as people write it, in any case, with or without the last dot.
    pub fn set(&self, name: &str, behaviour: TxtBehaviour) {
        lock(&self.table).entry(plain(name)).or_default().behaviour = Some(behaviour);
    }

    /// How many TXT questions for this name came, over both transports.
    pub fn questions(&self, name: &str) -> u64 {
        lock(&self.table).get(&plain(name)).map_or(0, |entry| entry.questions)
    }
}

async fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORT_TRIES {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// A client that is gone is no reason to end: errors of one datagram concern nobody else.
async fn serve_udp(socket: UdpSocket, table: Table) {
    let mut packet = [0; 4096];
    loop {
        if let Ok((len, peer)) = socket.recv_from(&mut packet).await
            && let Some(answer) = answer(&table, &packet[..len], Transport::Udp)
        {
            socket.send_to(&answer, peer).await.unwrap_or(0);
        }
    }
}

async fn serve_tcp(listener: TcpListener, table: Table) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve_connection(stream, table.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Until the client hangs up: each message has its length before it (RFC 1035 §4.2.2).
async fn serve_connection(mut stream: TcpStream, table: Table) {
    while let Ok(len) = stream.read_u16().await {
        let mut packet = vec![0; usize::from(len)];
        if stream.read_exact(&mut packet).await.is_err() {
            return;
        }
        let Some(answer) = answer(&table, &packet, Transport::Tcp) else { continue };
        let len = u16::try_from(answer.len()).unwrap_or(u16::MAX);
        let framed = [&len.to_be_bytes()[..], &answer[..usize::from(len)]].concat();
        if stream.write_all(&framed).await.is_err() {
            return;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

/// `None`: nothing is said.
fn answer(table: &Table, packet: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let query = Message::from_vec(packet).ok()?;
    if query.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut response = Message::response(query.metadata.id, query.metadata.op_code);
    response.metadata.authoritative = true;
    response.metadata.recursion_desired = query.metadata.recursion_desired;
    // It stands in a resolver's place.
    response.metadata.recursion_available = true;
    response.add_queries(query.queries.iter().cloned());
    if query.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(query.max_payload());
        response.set_edns(edns);
    }
    response.metadata.response_code = match (query.metadata.op_code, query.queries.first()) {
        (OpCode::Query, Some(question)) => {
            let behaviour = ask(table, question.name(), question.query_type());
            fill(&mut response, question.name(), question.query_type(), behaviour)?
        }
        (OpCode::Query, None) => ResponseCode::FormErr,
        _ => ResponseCode::NotImp,
    };
    let bytes = response.to_vec().ok()?;
    let room = if query.edns.is_some() { query.max_payload().max(UDP_BYTES) } else { UDP_BYTES };
    if transport == Transport::Udp && bytes.len() > usize::from(room) {
        return response.truncate().to_vec().ok();
    }
    Some(bytes)
}

fn ask(table: &Table, name: &Name, query_type: RecordType) -> Option<TxtBehaviour> {
    let mut table = lock(table);
    if query_type == RecordType::TXT {
        let entry = table.entry(plain(&name.to_ascii())).or_default();
        entry.questions += 1;
        return entry.behaviour.clone();
    }
    table.get(&plain(&name.to_ascii()))?.behaviour.clone()
}

/// Adds the records, and says the response code.
fn fill(
    response: &mut Message,
    name: &Name,
    query_type: RecordType,
    behaviour: Option<TxtBehaviour>,
) -> Option<ResponseCode> {
    // Without a time to live the table's next change counts at once.
    let mut add = |data| {
        response.add_answer(Record::from_rdata(name.clone(), 0, data));
    };
    match behaviour {
        Some(TxtBehaviour::Records(texts)) => {
            let texts = texts.iter().filter(|_| query_type == RecordType::TXT);
            texts.for_each(|text| add(RData::TXT(txt(text))));
            Some(ResponseCode::NoError)
        }
        Some(TxtBehaviour::Alias(target)) => {
            add(RData::CNAME(CNAME(Name::from_ascii(plain(&target) + ".").ok()?)));
            Some(ResponseCode::NoError)
        }
        Some(TxtBehaviour::NoSuchName) | None => Some(ResponseCode::NXDomain),
        Some(TxtBehaviour::ServerFailure) => Some(ResponseCode::ServFail),
        Some(TxtBehaviour::Silent) => None,
    }
}

fn txt(text: &str) -> TXT {
    TXT::from_bytes(text.as_bytes().chunks(TXT_STRING_BYTES).collect())
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn lock(table: &Table) -> MutexGuard<'_, HashMap<String, Entry>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "dns_tests.rs"]
mod tests;
