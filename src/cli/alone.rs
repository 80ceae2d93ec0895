//! A daemon's work without a daemon. Root does it as the user whose state it is: a key that root alone can read, in the
//! spool or in a consumer's folder, would be lost to the daemon that comes back.

use super::identity::{Accounts, Identity};
use crate::{
    config::Config,
    daemon::{
        once,
        request::{Request, Response},
    },
    domain::Limits,
};
use rustix::process::geteuid;
use std::{fs, os::unix::fs::MetadataExt, path::Path, thread};
use tokio::{runtime, sync::oneshot};

/// Does it. The secrets are in the configuration by now, so that root alone need be able to read them.
pub async fn alone(config: Config, request: Request) -> Result<Response, String> {
    let Some(owner) = owner(&config.state_dir) else {
        return once(config, Limits::default(), request).await;
    };
    let (answer, answered) = oneshot::channel();
    let work = move || {
        owner.assume()?;
        let runtime = runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no threads can be started: {error}"))?;
        let response = runtime.block_on(once(config, Limits::default(), request));
        runtime.shutdown_background();
        response
    };
    // Its runtime's threads come from this one, and with it its rights.
    thread::spawn(move || _ = answer.send(work()));
    answered.await.unwrap_or_else(|_| Err("the work panicked (a bug: please report it)".into()))
}

/// Whose the state is, where root runs this and it is another's.
fn owner(state_dir: &Path) -> Option<Identity> {
    let about = fs::metadata(state_dir).ok().filter(|about| geteuid().is_root() && about.uid() != 0)?;
    let unnamed = Identity { uid: about.uid(), gid: about.gid(), groups: vec![about.gid()] };
    Some(Accounts::of_this_host().identity(&about.uid().to_string(), "", &[]).unwrap_or(unnamed))
}
