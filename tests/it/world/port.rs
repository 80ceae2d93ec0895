//! Loopback ports that nobody else has: also not a test that runs at the same time, or an outgoing connection.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range from which Linux takes ports for outgoing connections (32768 and up).
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port that stays ours, also while the server on it is down, until this is dropped.
pub struct Port {
    pub number: u16,
    /// A name that one process at a time can have, and that the kernel takes back.
    _claim: UnixListener,
}

impl Port {
    pub fn free() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let start = std::process::id().wrapping_mul(37);
        for _ in 0..COUNT {
            let turn = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
            let offset = start.wrapping_add(turn) % u32::from(COUNT);
            let number = FIRST + u16::try_from(offset).expect("less than COUNT");
            let name =
                SocketAddr::from_abstract_name(format!("keyrelay-test-port-{number}")).expect("a short name");
            let Ok(claim) = UnixListener::bind_addr(&name) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Self { number, _claim: claim };
            }
        }
        panic!("no free port from {FIRST} on");
    }
}
