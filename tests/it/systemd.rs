//! keyrelay as a service of a real systemd: installed in a box by its own installer, between the same servers as
//! everywhere. Each test is a sentence of what an operator may rely on.

mod failed;
mod install;
mod memory;
mod package;
mod readme;
pub mod servers;
pub mod site;
mod stranger;
mod unit;
