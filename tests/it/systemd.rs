//! keyrelay as a service of a real systemd: installed in a box by its own installer, between the same servers as
//! everywhere. Each test is a sentence of what an operator may rely on.

mod failed;
mod memory;
pub mod site;
mod unit;
