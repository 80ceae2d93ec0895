//! What goes wrong while a rotation is under way: the process is killed, the store is sealed, a mail server hangs, a
//! disk is full. However it goes wrong, no key is lost, nothing is promoted twice, and somebody is told.

mod dice;
mod kills;
mod mailbox;
pub mod scene;
mod spool;
mod start;
mod stop;
mod store;
