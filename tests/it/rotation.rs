//! The whole program on real servers: the built daemon between Dovecot, OpenBao, an SMTP server, a name server, a
//! simulated vendor and consumers. Each test is a sentence of what an operator may rely on.

mod calm;
pub mod consumers;
mod face;
mod first_start;
mod going_back;
mod ingest;
mod junk;
mod kept_right;
mod ladder;
mod observed;
mod own_server;
mod refused;
mod sockets;
pub mod stage;
mod store_login;
mod tidied;
mod wordings;
