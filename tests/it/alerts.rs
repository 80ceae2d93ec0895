//! How operators are told when something between them and keyrelay fails: a mail server that is away, refuses or
//! falls silent, a webhook, a process that is killed, a file that is damaged.

mod good_news;
mod heartbeat;
mod queue;
pub mod receiver;
mod scene;
mod webhook;
