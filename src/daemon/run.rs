//! The daemon from start to end: configuration, sockets, schedules, signals.

use super::{
    control::Control,
    duty::Duty,
    history,
    http::Face,
    inbox::{CAPACITY, Message},
    intake, memory,
    schedule::Ticking,
    shell::{Reach, SLEEP_MAX, Shell},
    systemd::Systemd,
    tools::Tools,
};
use crate::{
    config::{self, Config, Mistake, Mistakes, Need, Severity},
    domain::Limits,
    rotation::Event,
};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// What reaches a running daemon from outside.
pub enum Order {
    Reload,
    Stop,
}

/// Runs until SIGTERM or SIGINT; SIGHUP reloads. The error is what only the operator can mend on this host.
pub async fn run(path: &Path, limits: Limits) -> Result<(), String> {
    let loaded = load(path)?;
    let (orders, ordered) = mpsc::channel(4);
    listen_to_signals(orders)?;
    serve(loaded, limits, ordered).await
}

fn load(path: &Path) -> Result<Config, String> {
    let environment: BTreeMap<_, _> = std::env::vars().collect();
    let loaded = config::load(path, &environment, Need::Run).map_err(|mistakes| lines(&mistakes))?;
    for warning in loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded.config)
}
/// The mistakes, a line each; what alone would not have been refused is marked.
fn lines(mistakes: &Mistakes) -> String {
    let line = |mistake: &Mistake| match mistake.severity {
        Severity::Error => mistake.to_string(),
        Severity::Warning => format!("warning: {mistake}"),
    };
    mistakes.0.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn listen_to_signals(orders: mpsc::Sender<Order>) -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|error| format!("signals cannot be listened to: {error}"));
    let (mut hangup, mut terminate) = (listen(SignalKind::hangup())?, listen(SignalKind::terminate())?);
    let mut interrupt = listen(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            let order = tokio::select! {
                _ = hangup.recv() => Order::Reload,
                _ = terminate.recv() => Order::Stop,
                _ = interrupt.recv() => Order::Stop,
            };
            if orders.send(order).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Runs with this configuration until it is told to stop.
pub async fn serve(config: Config, limits: Limits, mut orders: mpsc::Receiver<Order>) -> Result<(), String> {
    let broken = intake::set_broken_aside(&config.state_dir);
    if broken > 0 {
        tracing::error!(
            "keyrelay died twice over {broken} mail(s); they are set aside, and not opened again"
        );
    }
    let config = Arc::new(config);
    let mut duty = Duty::start(config.clone(), &limits)?;
    // Whoever asks from outside keeps asking here, whichever shell is there to answer.
    let (sender, mut asked) = mpsc::channel(CAPACITY);
    let _control = Control::open(&config.control, sender.clone())?;
    let counted = duty.shell.counted.clone();
    let mut face = Face::open(&config.listen, sender.clone(), counted, &config.state_dir).await?;
    remember_margins(&duty.shell, &config);
    let mut ticking = Ticking::start(&config.schedules, sender.clone()).await?;
    ticking.rotate(&config).await?;
    duty.begin();
    tracing::info!(credentials = config.credentials.len(), "keyrelay {} runs", env!("CARGO_PKG_VERSION"));
    let mut systemd = Systemd::of_process();
    systemd.ready(&duty.shell);
    memory::give_back();
    loop {
        duty.shell.patience = systemd.patience(SLEEP_MAX);
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(Order::Reload) => {
                    systemd.reloading();
                    reload(&mut duty, &mut face, &limits, &config).await;
                    if let Err(why) = ticking.rotate(&duty.shell.tools.config).await {
                        tracing::error!("{why}");
                    }
                    systemd.ready(&duty.shell);
                }
                Some(Order::Stop) | None => break,
            },
            message = asked.recv() => message.into_iter().for_each(|message| duty.shell.take(message)),
            () = duty.turn() => {}
        }
        duty.follow().await?;
        if duty.shell.take_clock_was_set() {
            restart(&mut ticking, &sender, &mut duty.shell, &config).await;
        }
        systemd.turned(&duty.shell);
    }
    systemd.stopping();
    tracing::info!("told to stop: what exists nowhere else is spooled");
    ticking.stop().await;
    duty.stop().await;
    Ok(())
}

/// Schedules remember when they are next due: after the clock was set back they would stand still until then.
async fn restart(ticking: &mut Ticking, sender: &mpsc::Sender<Message>, shell: &mut Shell, config: &Config) {
    let tools = shell.tools.clone();
    let anew = async {
        let mut anew = Ticking::start(&config.schedules, sender.clone()).await?;
        anew.rotate(&tools.config).await?;
        Ok::<_, String>(anew)
    };
    match anew.await {
        Ok(anew) => std::mem::replace(ticking, anew).stop().await,
        Err(why) => tracing::error!("{why}"),
    }
    if shell.reach == Reach::Everything {
        shell.tell_what_is_due();
    }
}

/// The metrics go on with what was left of the last rotations' time. Reading it delays nobody.
fn remember_margins(shell: &Shell, config: &Arc<Config>) {
    let (counted, config) = (shell.counted.clone(), config.clone());
    tokio::task::spawn_blocking(move || {
        for name in config.credentials.keys() {
            let mut newest = history::newest(&config.state_dir, name).into_iter();
            let margin_secs = newest.find_map(|record| record.margin_secs);
            margin_secs.into_iter().for_each(|margin_secs| counted.remember_margin(name, margin_secs));
        }
    });
}

/// The new configuration counts whole, or not at all.
async fn reload(duty: &mut Duty, face: &mut Face, limits: &Limits, started_with: &Config) {
    match take_new(&mut duty.shell, face, limits, started_with).await {
        Ok(tools) => {
            tracing::info!("the new configuration is in force");
            duty.reconfigure(tools);
        }
        Err(mistakes) => {
            tracing::error!("the new configuration is refused, the old one stays in force: {mistakes}");
            duty.shell.handle(Event::ConfigRefused { mistakes });
        }
    }
}
async fn take_new(
    shell: &mut Shell,
    face: &mut Face,
    limits: &Limits,
    started_with: &Config,
) -> Result<Tools, String> {
    let config = load(&started_with.source).map(Arc::new)?;
    let opened = face.open_missing(&config.listen).await?;
    let tools = Tools::new(config.clone(), limits, Some(&shell.tools))?;
    shell.needs_restart = needs_restart(started_with, &config);
    face.change(&config.listen, opened);
    Ok(tools)
}
fn needs_restart(old: &Config, new: &Config) -> Vec<String> {
    let changed = [
        ("control", old.control != new.control),
        ("standby", old.standby != new.standby),
        ("schedules", old.schedules != new.schedules),
        ("store", old.store != new.store && matches!(new.store, crate::store::Settings::Local(_))),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key.to_owned()).collect()
}
