//! `keyrelay demo`.

use super::console::{Exit, Failure};

/// Show a whole rotation, live, with nothing installed
///
/// A simulated vendor, an embedded store and three consumers, one of which is slow to learn. It goes on until Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End after one complete rotation; 0 only if every consumer was tested in use
    #[arg(long)]
    once: bool,
}

pub async fn demo(args: &Args) -> Result<Exit, Failure> {
    crate::demo::run(args.once).await.map(|()| Exit::Done).map_err(Failure::refused)
}
