//! A vendor, a name server and consumers to run against, with nothing installed. The rest of the program does not
//! know that it is in a demo.

pub mod consumer;
pub mod dns;
pub mod mails;
pub mod sign;
pub mod simulator;

mod serve;
