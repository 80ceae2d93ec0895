//! beside_a_daemon
