//! The one integration test binary: the library and the built program against real servers.

mod store;
mod world;
mod world_tests;
