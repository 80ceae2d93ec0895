//! `keyrelay rollback`.

use super::{
    console::{Console, Exit, Failure},
    prove,
    work::Work,
};
use crate::{daemon::request::Request, domain::CredentialName};
use std::path::Path;

/// Go back to the key before the current one
///
/// Only while the vendor says that it is alive. It becomes the current key again, as a new version in the store, and
/// every consumer is brought to it; the newer key is kept, and held until it is let in again with accept. Ends with 0
/// when every consumer is tested, with 1 when it is refused or a consumer is not tested yet, and with 3 when the store
/// or the vendor does not answer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose key
    credential: CredentialName,
    /// Only say whether it would be possible, and until when; change nothing
    #[arg(long)]
    check: bool,
}

pub async fn rollback(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(Some(&args.credential), None)?;
    let request = Request::Rollback { credential: args.credential.clone(), check: args.check };
    let done = work.ask(request, console).await?;
    Ok(if args.check { done.tell(console) } else { prove::told(&done, &args.credential, console) })
}
