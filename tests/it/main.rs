//! The one integration test binary: the library and the built program against real servers.

mod alerts;
mod api;
mod chaos;
mod cli;
mod consumers;
mod doctor;
mod every_call;
mod face;
mod figures;
mod imap;
mod intake;
mod leaf7;
mod leaks;
mod oauth;
mod operator;
mod policy;
mod rotation;
mod smtp;
mod store;
mod systemd;
mod tidy;
mod two;
mod units;
mod world;
mod world_tests;
