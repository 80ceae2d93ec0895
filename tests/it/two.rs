//! Two daemons on two hosts: one acts, the other stands by and takes over, whatever becomes of the first.

mod another;
mod chaos;
mod pair;
mod register;
mod standby;
mod takeover;
