//! From a host's name to a server that is ready for a login: TCP, TLS, the greeting. No credentials are sent here.

use super::{
    Settings, Tls,
    answer::clean,
    socket::{Socket, Stop, explain},
    wire::{Shared, Stream},
};
use crate::{
    mail::waker::{self, Waker},
    tls,
};
use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

/// A greeting, or an answer to STARTTLS, is no longer (RFC 2683 advises 8,000).
const FIRST_LINE_MAX: usize = 8_192;
/// All that may be said before the answer to STARTTLS: it is read byte by byte, which is work.
const PRELUDE_MAX: usize = 64 << 10;

/// A connected server whose greeting was read and was good. The error is the cause alone, for operators.
pub(super) fn dial(settings: &Settings, patience: Duration) -> Result<(Shared, Waker), String> {
    let (waker, alarm) = waker::pair().map_err(|e| explain(&e))?;
    let tcp = connect(settings, patience)?;
    let mut socket = Socket::new(tcp, alarm, patience).map_err(|e| explain(&e))?;
    let shared = match settings.tls {
        Tls::None => greeted(Stream::Plain(socket))?,
        Tls::Implicit => greeted(encrypt(settings, socket)?)?,
        Tls::StartTls => {
            start_tls(&mut socket)?;
            Shared::new(encrypt(settings, socket)?)
        }
    };
    Ok((shared, waker))
}

/// Tries every address of the host in turn; the last one's failure is told.
fn connect(settings: &Settings, patience: Duration) -> Result<TcpStream, String> {
    let addresses = (settings.host.as_str(), settings.port)
        .to_socket_addrs()
        .map_err(|_| "the host's name cannot be resolved".to_owned())?;
    let mut failed = "the host's name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(tcp) => return Ok(tcp),
            Err(e) => failed = explain(&e),
        }
    }
    Err(failed)
}

/// The handshake, done at once so that a certificate's fault is told as such.
fn encrypt(settings: &Settings, mut socket: Socket) -> Result<Stream, String> {
    let config = tls::client_config(settings.ca_cert.as_deref())?;
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| "the host is neither a name nor an address that a certificate can be for".to_owned())?;
    let mut tls = ClientConnection::new(config, name).map_err(|e| tls::explain(&e))?;
    socket.begin();
    while tls.is_handshaking() {
        tls.complete_io(&mut socket).map_err(|e| format!("no TLS: {}", explain(&e)))?;
    }
    Ok(Stream::Tls(Box::new(StreamOwned::new(tls, socket))))
}

fn greeted(stream: Stream) -> Result<Shared, String> {
    let mut stream = stream;
    let greeting = match &mut stream {
        Stream::Plain(socket) => first_line(socket),
        Stream::Tls(tls) => first_line(tls.as_mut()),
    };
    judge_greeting(&greeting.map_err(|e| explain(&e))?, true)?;
    Ok(Shared::new(stream))
}

/// Asks for TLS in the clear, where anybody may answer: nothing that is said here is believed, shown or kept.
fn start_tls(socket: &mut Socket) -> Result<(), String> {
    let told = |e: io::Error| explain(&e);
    judge_greeting(&first_line(socket).map_err(told)?, false)?;
    socket.write_all(b"s1 STARTTLS\r\n").map_err(told)?;
    let mut heard = 0;
    while heard < PRELUDE_MAX {
        let line = first_line(socket).map_err(told)?;
        heard += line.len();
        if line.starts_with(b"* ") {
            continue;
        }
        let mut words = line.trim_ascii_end().split(|b| *b == b' ');
        let ours = words.next() == Some(b"s1");
        if !ours || !words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"OK")) {
            return Err("the server refuses STARTTLS; no password was sent".into());
        }
        // In TLS the client speaks first. What comes later goes into the handshake, and breaks it.
        if socket.has_more().map_err(told)? {
            return Err("more came with the answer to STARTTLS, as if somebody were in between; \
                no password was sent"
                .into());
        }
        return Ok(());
    }
    Err(explain(&Stop::TooLarge(PRELUDE_MAX).into()))
}

/// Only `* OK` may be followed by a login. What a server said before TLS is not shown: it may be anybody's.
fn judge_greeting(line: &[u8], show: bool) -> Result<(), String> {
    let words = |words: &[u8]| if show { format!(": {}", clean(words)) } else { String::new() };
    let mut parts = line.trim_ascii_end().splitn(3, |b| *b == b' ');
    let (star, status) = (parts.next(), parts.next().unwrap_or_default());
    let is = |word: &[u8]| star == Some(b"*") && status.eq_ignore_ascii_case(word);
    if is(b"OK") {
        Ok(())
    } else if is(b"BYE") {
        Err(format!("the server turns us away{}", words(parts.next().unwrap_or_default())))
    } else if is(b"PREAUTH") {
        Err("the server says that we are logged in already (PREAUTH), which nobody asked for".into())
    } else {
        Err("this is no IMAP server".into())
    }
}

/// Byte by byte, so that not one byte beyond the line is taken: what an attacker sent ahead of the handshake goes
/// into the handshake, and breaks it.
fn first_line(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < FIRST_LINE_MAX {
        if stream.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.push(byte[0]);
        if byte[0] == b'\n' {
            return Ok(line);
        }
    }
    Err(Stop::TooLarge(FIRST_LINE_MAX).into())
}
