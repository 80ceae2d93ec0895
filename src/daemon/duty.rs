//! Which of two daemons this is, and the shell that it has for it: the one that acts, or the one that stands by. Alone
//! it acts. A shell is never turned into the other kind: it ends, and another one begins by reading the documents.

use super::{
    clock,
    lease::Keeper,
    shell::{Reach, Shell},
    tools::Tools,
};
use crate::{
    config::Config,
    domain::Limits,
    rotation::{Event, LeaseEvent, Refusal, Role, Schedule},
};
use std::sync::Arc;

pub struct Duty {
    pub shell: Shell,
    limits: Limits,
    keeper: Option<Keeper>,
    /// The time of acting that the shell is for; before the first one it only waits.
    reign: u64,
    /// What the standby has heard of the other one's keys.
    news: u64,
    /// This daemon has once been something: from then on nothing ends it but its operator.
    began: bool,
}

impl Duty {
    /// The error is what only the operator can mend on this host.
    pub fn start(config: Arc<Config>, limits: &Limits) -> Result<Self, String> {
        let tools = Tools::new(config, limits, None)?;
        let keeper = tools.config.standby.then(|| Keeper::new(&tools));
        let mut shell = Shell::start(tools, limits, Reach::Everything);
        shell.standing.waits = keeper.is_some();
        Ok(Self { shell, limits: limits.clone(), keeper, reign: 0, news: 0, began: false })
    }

    /// Takes one thing after the other.
    pub async fn turn(&mut self) {
        match &mut self.keeper {
            None => self.shell.turn().await,
            Some(keeper) => tokio::select! {
                biased;
                () = keeper.turn() => {}
                () = self.shell.turn() => {}
            },
        }
    }

    /// The shell follows the lease. The error: this daemon may not run beside the other one.
    pub async fn follow(&mut self) -> Result<(), String> {
        let Some(keeper) = &mut self.keeper else { return Ok(()) };
        if std::mem::take(&mut self.shell.standing.key_written) {
            keeper.tell(LeaseEvent::KeyWritten);
        }
        let (role, anothers) = (keeper.lease.role().clone(), keeper.lease.is_anothers());
        match role {
            Role::Refused(why) if !self.began => return Err(words(&why)),
            Role::Active { .. } if self.reign != keeper.reign => {
                let reign = keeper.reign;
                self.change(Reach::Everything).await;
                self.reign = reign;
            }
            Role::Standby if anothers && self.shell.reach != Reach::Standby => {
                self.change(Reach::Standby).await;
            }
            Role::Refused(_) if self.shell.reach != Reach::Standby => self.change(Reach::Standby).await,
            Role::Starting | Role::Active { .. } | Role::Standby | Role::Refused(_) => {}
        }
        self.stand();
        Ok(())
    }

    /// What the shell must know of the lease.
    fn stand(&mut self) {
        let Some(keeper) = &self.keeper else { return };
        let (lease, shell) = (&keeper.lease, &mut self.shell);
        let holder = lease.holder().map(|holder| holder.host.clone());
        let gate = &shell.tools.gate;
        let (waits, failing) = match (lease.role(), shell.reach) {
            (Role::Refused(_), _) => {
                gate.set(None);
                (true, Some("configuration"))
            }
            (_, Reach::Standby) => {
                gate.open_for_good();
                (true, holder.is_none().then_some("lease"))
            }
            (Role::Active { .. }, _) => {
                gate.set(lease.may_act_until());
                (false, (!lease.may_act(clock::since_boot())).then_some("lease"))
            }
            (Role::Starting | Role::Standby, _) => {
                gate.set(None);
                (true, Some("lease"))
            }
        };
        let standing = &mut shell.standing;
        if standing.waits != waits {
            standing.since = Some(clock::now());
        }
        (standing.waits, standing.holder) = (waits, holder);
        standing.failing = failing.map(str::to_owned);
        if shell.reach == Reach::Standby && self.news != lease.news() {
            self.news = lease.news();
            shell.handle(Event::KeysChanged);
        }
    }

    /// The shell ends, and another one begins.
    async fn change(&mut self, reach: Reach) {
        let Some(keeper) = &self.keeper else { return };
        let (config, after) = (self.shell.tools.config.clone(), keeper.after);
        self.shell.standing.holder = keeper.lease.holder().map(|holder| holder.host.clone());
        let tools = match Tools::new(config, &self.limits, Some(&self.shell.tools)) {
            Ok(tools) => tools,
            // It is tried again with the next turn: the old shell's gate is shut meanwhile.
            Err(why) => {
                tracing::error!("the lease has changed hands, and this daemon cannot follow: {why}");
                return self.shell.tools.gate.set(None);
            }
        };
        self.shell.leave().await;
        let mut shell = Shell::start_after(tools, &self.limits, reach, after);
        shell.counted = self.shell.counted.clone();
        shell.needs_restart = std::mem::take(&mut self.shell.needs_restart);
        shell.standing.waits = reach == Reach::Standby;
        shell.standing.since = Some(clock::now());
        self.shell = shell;
        self.began = true;
        self.begin();
    }
    /// What the schedules would find later is looked at now.
    pub fn begin(&mut self) {
        self.shell.handle(Event::Tick(Schedule::ConsumerProve));
        if self.shell.reach == Reach::Everything {
            self.shell.tell_what_is_due();
        }
    }

    pub fn reconfigure(&mut self, tools: Tools) {
        self.shell.reconfigure(tools);
        if let Some(keeper) = &mut self.keeper {
            keeper.reconfigure(&self.shell.tools);
        }
    }

    /// What exists nowhere else is spooled, and then the lease is given up.
    pub async fn stop(&mut self) {
        match &mut self.keeper {
            None => self.shell.stop().await,
            Some(keeper) => {
                let gate = self.shell.tools.clone();
                tokio::select! {
                    () = self.shell.stop() => {}
                    () = async { loop {
                        keeper.turn().await;
                        gate.gate.set(keeper.lease.may_act_until());
                    } } => {}
                }
                keeper.give_up().await;
            }
        }
    }
}

/// Why this daemon may not run beside the other one, and what to do.
pub fn words(why: &Refusal) -> String {
    match why {
        Refusal::Configuration { holder } => format!(
            "the daemon that acts, on {}, has another configuration ({}); give both the same files, or stop that one, \
             then start this one",
            holder.host, holder.configuration
        ),
        Refusal::Lineage { known, found } => format!(
            "the documents in the store are others than this daemon knew ({found}, not {known}); if they are the right \
             ones, restart this one"
        ),
        Refusal::Unreadable { why } => format!(
            "the lease document in the store cannot be read: {why}; run the same version of keyrelay on both hosts"
        ),
    }
}
