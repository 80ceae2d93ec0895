//! `keyrelay deliver`.

use super::{
    console::{Console, Exit, Failure},
    prove,
    work::Work,
};
use crate::{
    daemon::request::Request,
    domain::{ConsumerName, CredentialName},
};
use std::path::Path;

/// Hand the current key over again: write it, run the action, test the consumers
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose key
    credential: CredentialName,
    /// Only to this consumer
    #[arg(long, value_name = "NAME")]
    consumer: Option<ConsumerName>,
}

pub async fn deliver(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(Some(&args.credential), args.consumer.as_ref())?;
    let request = Request::Deliver { credential: args.credential.clone(), consumer: args.consumer.clone() };
    let done = work.ask(request, console).await?;
    let asked = prove::asked(&done, Some(&args.credential), args.consumer.as_ref());
    prove::show(&asked, console);
    Ok(prove::judged(done, &asked).tell(console))
}
