//! What goes wrong while a rotation is under way: the process is killed, the store is sealed, a mail server hangs, a
//! disk is full. However it goes wrong, no key is lost, nothing is promoted twice, and somebody is told.

mod clock;
mod cluster;
pub mod dice;
mod disk;
mod kills;
mod mailbox;
mod outside;
mod refusals;
pub mod scene;
mod spool;
mod start;
mod stop;
mod store;
