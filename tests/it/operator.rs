//! Vendors whose keys an operator makes and revokes in a dashboard, with the whole program between OpenBao, an SMTP
//! server, the simulated vendor and consumers.

mod desk;
mod ends;
mod life;
mod limits;
mod probe;
mod revoking;
