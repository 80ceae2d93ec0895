//! A vendor whose API makes the new key and kills the old one in the same instant: the built program beside real
//! OpenBao, an SMTP server, consumers, and the simulated Legba.

mod life;
mod lost;
mod not_asked;
pub mod stage;
