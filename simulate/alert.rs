//! Of the alerts only what they say.

#[path = "../src/alert/render/mod.rs"]
pub mod render;
