//! What people and programs see from outside: the page in a real browser, the metrics through the eyes of those who
//! read them.

mod browser;
mod demo;
mod fixtures;
mod live;
mod metrics;
mod monitoring;
mod page;
