//! The one integration test binary: the library and the built program against real servers.

mod tidy;
mod world;
mod world_tests;
