//! `keyrelay rotate`.

use super::{
    console::{Console, Exit, Failure},
    prove,
    work::Work,
};
use crate::{daemon::request::Request, domain::CredentialName};
use std::path::Path;

/// Ask the vendor's API for a new key
///
/// Where the vendor has a call for that. Before it is made, the store and the spool are written, the current key is
/// asked about, and every consumer is tested: what fails is said, and nothing is called. The new key then goes the way
/// of every other. Ends with 0 when it is the current key and every consumer is tested, with 1 when the call is refused
/// or a consumer is not tested yet, and with 3 when the store or the vendor does not answer, or the answer is lost.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose key
    credential: CredentialName,
}

pub async fn rotate(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(Some(&args.credential), None)?;
    let done = work.ask(Request::Rotate { credential: args.credential.clone() }, console).await?;
    Ok(prove::told(&done, &args.credential, console))
}
