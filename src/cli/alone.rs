//! A daemon's work without a daemon. Root does it as the user whose state it is: a key that root alone can read, in the
//! spool or in a consumer's folder, would be lost to the daemon that comes back.

use super::identity::{Accounts, Identity};
use crate::{
    config::Config,
    daemon::{
        Alone, once,
        request::{Request, Response},
    },
    domain::{CredentialName, Fingerprint, Limits},
    leaf7::Operation,
    store,
};
use rustix::process::{geteuid, getuid};
use std::{fs, os::unix::fs::MetadataExt, thread};
use tokio::{
    runtime,
    sync::{mpsc, oneshot},
};

/// Does it. The secrets are in the configuration by now, so that root alone need be able to read them.
pub async fn alone(mut config: Config, request: Request) -> Result<Response, String> {
    let owner = owner(&mut config);
    as_owner(owner, move || once(config, Limits::default(), request)).await
}

async fn as_owner<T, F>(
    owner: Option<Identity>,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, String>
where
    T: Send + 'static,
    F: Future<Output = Result<T, String>>,
{
    let Some(owner) = owner else { return work().await };
    let (answer, answered) = oneshot::channel();
    let work = move || {
        owner.assume()?;
        let runtime = runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no threads can be started: {error}"))?;
        let done = runtime.block_on(work());
        runtime.shutdown_background();
        done
    };
    // Its runtime's threads come from this one, and with it its rights.
    thread::spawn(move || _ = answer.send(work()));
    answered.await.unwrap_or_else(|_| Err("the work panicked (a bug: please report it)".into()))
}

/// Several calls to a vendor, one after the other, that share one budget.
pub struct Calls(mpsc::Sender<Asked>);

struct Asked {
    name: CredentialName,
    operation: Operation,
    refused: Option<Fingerprint>,
    answer: oneshot::Sender<Response>,
}

impl Calls {
    /// The error is what the operator must mend on this host.
    pub async fn begin(mut config: Config) -> Result<Self, String> {
        let (owner, uid) = (owner(&mut config), getuid().as_raw());
        let (asks, mut asked) = mpsc::channel::<Asked>(1);
        let (began, begins) = oneshot::channel();
        let work = async move || {
            let mut alone = match Alone::new(config, &Limits::default(), uid) {
                Ok(alone) => alone,
                Err(why) => return Err(why),
            };
            // Whoever waits for it is told of an error in its place.
            let _ = began.send(());
            while let Some(Asked { name, operation, refused, answer }) = asked.recv().await {
                let _ = answer.send(alone.call(name, operation, refused).await);
            }
            Ok(())
        };
        let working = tokio::spawn(as_owner(owner, work));
        match begins.await {
            Ok(()) => Ok(Self(asks)),
            Err(_) => match working.await {
                Ok(Err(why)) => Err(why),
                Ok(Ok(())) | Err(_) => Err("the work panicked (a bug: please report it)".into()),
            },
        }
    }

    /// `None`: it has panicked.
    pub async fn ask(
        &self,
        name: CredentialName,
        operation: Operation,
        refused: Option<Fingerprint>,
    ) -> Option<Response> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Asked { name, operation, refused, answer }).await.ok()?;
        answered.await.ok()
    }
}

/// Whose the state is, where root runs this and it is another's: who may not read the files of the store's secrets, so
/// that these stay as root has read them.
fn owner(config: &mut Config) -> Option<Identity> {
    let about =
        fs::metadata(&config.state_dir).ok().filter(|about| geteuid().is_root() && about.uid() != 0)?;
    if let store::Settings::Vault(vault) = &mut config.store {
        vault.auth.fix_secrets();
    }
    let unnamed = Identity { uid: about.uid(), gid: about.gid(), groups: vec![about.gid()] };
    Some(Accounts::of_this_host().identity(&about.uid().to_string(), "", &[]).unwrap_or(unnamed))
}
