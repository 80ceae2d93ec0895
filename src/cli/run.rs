//! `keyrelay run`.

use super::console::{Exit, Failure};
use crate::{daemon, domain::Limits};
use std::path::Path;

/// Run the daemon
///
/// It watches mailboxes, vendors and consumers until SIGTERM or SIGINT; SIGHUP reads the configuration again. Outside
/// systems never end it. It ends with 2 for what only an operator can mend on this host: a port, a folder, a secret.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(path: &Path) -> Result<Exit, Failure> {
    daemon::to_journal();
    daemon::run(path, Limits::default()).await.map(|()| Exit::Done).map_err(Failure::mistake)
}
