//! Alerts: a notice becomes a mail, and the mail is sent.

pub mod smtp;
