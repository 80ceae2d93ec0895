//! What comes in by way of real mail servers: genuine mails on each of them, forged ones on every way, old ones again.

mod cyrus;
mod forged;
mod old_mails;
mod smuggled;
mod two_keys;
