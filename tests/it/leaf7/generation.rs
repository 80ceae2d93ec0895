//! Many keys: paced, written as they arrive, and never asked for twice.

use super::{Office, PROJECT, calm};
use crate::world::{Hold, Proxy, SmallDisk, run};
use keyrelay::demo::simulator::{Mishap, Options};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};
use tokio::process::Command;

const GENERATE: [&str; 4] = ["buyer", "generate", "--project", PROJECT];

#[tokio::test]
async fn a_large_generation_stays_below_the_vendors_limits_and_writes_every_key_down_once() {
    // A minute is six seconds here, for both: a busy machine would not fill a shorter one.
    const MINUTE: Duration = Duration::from_secs(6);
    let options = Options { limit: Some((60, MINUTE)), ..calm() };
    let mut office = Office::with(options, |config, _| {
        config.set("vendors.leaf7.limit", json!({"requests": 60, "per": "6s"}));
    })
    .await;
    office.vendor.limit_generations((30, MINUTE));
    for (beside, name) in [(false, "alone.csv"), (true, "beside.csv")] {
        if beside {
            office.daemon.start_up().await;
        }
        let before = office.buyer_ids().len();
        let (all, generations) = office.vendor.management_requests();
        let file = office.dir.join(name);
        let output = file.to_str().unwrap();
        let ran = office.leaf7(&[&GENERATE[..], &["--amount", "1650", "--output", output]].concat()).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.stderr.ends_with(&format!("1650 keys were generated, and are in {output}\n")), "{ran:?}");
        assert!(ran.stderr.contains("the vendor's limit is used up; going on in "), "it is paced: {ran:?}");
        let (all, generations) = (
            office.vendor.management_requests().0 - all,
            office.vendor.management_requests().1 - generations,
        );
        assert_eq!((all, generations), (17, 17), "a hundred each, and none is refused for its number");

        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&file).unwrap();
        let mut lines = text.lines();
        let titles = "key_id,project_id,created_at,redeemed,discord_id,key_days,key_hours,key_minutes";
        assert_eq!(lines.next(), Some(titles));
        let written: Vec<_> = lines.map(|line| line.split(',').next().unwrap().to_owned()).collect();
        assert_eq!(written, office.buyer_ids()[before..], "each once, in their order");
        assert_eq!(written.iter().collect::<BTreeSet<_>>().len(), 1650);

        let said = office.refused(&[&GENERATE[..], &["--output", output]].concat(), 2).await;
        assert_eq!(
            said,
            format!(
                "{output} is there already, and is not written over\nname another file, or take that one away\n"
            )
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[tokio::test]
async fn after_a_lost_answer_nothing_is_sent_again_and_what_is_known_is_said() {
    let mut office = Office::new().await;
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        for (mishap, why) in [
            (Mishap::Lost, "127.0.0.1 did not send a whole HTTP answer"),
            (Mishap::DonePage, "200 (OK) with a web page"),
            (Mishap::DoneBadGateway, "502 (Bad Gateway) with a web page"),
        ] {
            let (before, sent) = (office.buyer_ids().len(), office.vendor.management_requests().1);
            office.vendor.order_mishaps([Mishap::None, mishap]);
            let ran = office.leaf7(&[&GENERATE[..], &["--amount", "250"]].concat()).await;
            assert_eq!(ran.code, Some(3), "{ran:?}");
            let told = format!(
                "100 of 250 keys were generated\n\
                 the answer to one request is lost ({why}): it may have generated up to 100 keys more, and is not sent again\n\
                 keyrelay leaf7 buyer list --project {PROJECT} --credential leaf7-main\n"
            );
            assert!(ran.stderr.ends_with(&told), "{ran:?}");
            let (ids, sent) = (office.buyer_ids(), office.vendor.management_requests().1 - sent);
            assert_eq!((ids.len() - before, sent), (200, 2), "never twice");
            let shown: Vec<_> =
                ran.stdout.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
            assert_eq!(shown, ids[before..before + 100], "what arrived is written");
        }
        office.vendor.order_mishaps([Mishap::Lost]);
        let said = office.refused(&GENERATE, 3).await;
        assert!(said.contains("it may have generated a key more, and is not sent again"), "{said}");
    }
}

#[tokio::test]
async fn a_long_generation_obeys_retry_after_and_a_vendor_that_stays_busy_ends_it() {
    let mut office = Office::new().await;
    let limited = || Mishap::Limited(Some("1".into()));
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        let before = office.buyer_ids().len();
        office.vendor.order_mishaps([Mishap::None, limited(), limited(), Mishap::None]);
        let ran = office.leaf7(&[&GENERATE[..], &["--amount", "200", "--json"]].concat()).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(
            ran.stderr.contains("the vendor says (429): Rate limit exceeded; going on in 1 s\n"),
            "{ran:?}"
        );
        let shown: Value = serde_json::from_str(&ran.stdout).expect("one array");
        assert_eq!(
            shown,
            json!(office.vendor.buyer_keys(office.account)[before..]),
            "the vendor's own objects"
        );
        assert_eq!(shown.as_array().map(Vec::len), Some(200));

        office
            .vendor
            .order_mishaps(std::iter::once(Mishap::None).chain(std::iter::repeat_with(limited).take(6)));
        let ran = office.leaf7(&[&GENERATE[..], &["--amount", "300", "--json"]].concat()).await;
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert_eq!(serde_json::from_str::<Vec<Value>>(&ran.stdout).expect("a whole array").len(), 100);
        assert!(
            ran.stderr.contains("100 of 300 keys were generated\nthe vendor's rate limit is used up (429)"),
            "{ran:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_made_generates_nothing_and_an_empty_one_is_taken_away() {
    let office = Office::new().await;
    let said = office.refused(&[&GENERATE[..], &["--output", "/nowhere/keys.csv"]].concat(), 2).await;
    assert!(said.starts_with("/nowhere/keys.csv cannot be made: "), "{said}");
    assert_eq!(office.vendor.management_requests().0, 0);
    let file = office.dir.join("keys.csv");
    office.vendor.set_discord_linked(office.account, false);
    office.refused(&[&GENERATE[..], &["--output", file.to_str().unwrap()]].concat(), 1).await;
    assert!(!file.exists());
    assert_eq!(office.refused(&[&GENERATE[..], &["--days", "0"]].concat(), 1).await.lines().count(), 2);
    office.vendor.set_discord_linked(office.account, true);
    office.done(&[&GENERATE[..], &["--hours", "5"]].concat()).await;
    office.done(&[&GENERATE[..], &["--days", "0", "--yes"]].concat()).await;
    let lasts: Vec<_> = office
        .vendor
        .buyer_keys(office.account)
        .iter()
        .map(|key| ["key_days", "key_hours", "key_minutes"].map(|unit| key[unit].as_u64().unwrap()))
        .collect();
    assert_eq!(lasts, [[0, 5, 0], [0, 0, 0]]);
}

#[tokio::test]
async fn when_the_disk_is_full_the_last_keys_are_printed_and_no_more_are_generated() {
    let Some(disk) = SmallDisk::mount() else { return };
    let office = Office::new().await;
    let file = disk.path().join("keys.csv");
    let output = file.to_str().unwrap();
    let ran = office.leaf7(&[&GENERATE[..], &["--amount", "2000", "--output", output]].concat()).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains(&format!("{output} cannot be written: ")), "{ran:?}");
    assert!(ran.stderr.contains("the keys of the last answer are on standard output"), "{ran:?}");
    let (written, ids) = (fs::read_to_string(&file).unwrap(), office.buyer_ids());
    let in_file = ids.len() - 100;
    let told = format!("{} of 2000 keys were generated, and {in_file} of them are in {output}\n", ids.len());
    assert!(ran.stderr.contains(&told), "{ran:?}");
    assert!(ids[..in_file].iter().all(|id| written.contains(id)), "in the file");
    assert!(ids[in_file..].iter().all(|id| ran.stdout.contains(id)), "printed");
}

#[tokio::test]
async fn ctrl_c_ends_a_generation_after_the_request_that_is_under_way() {
    let mut office = Office::new().await;
    let proxy = Proxy::to(&office.vendor.base_url(), None).await;
    office.config.set("vendors.leaf7.base_url", proxy.url());
    office.daemon.configure(&mut office.config);
    proxy.hold("/api/vendor/keys/buyer/", Hold::Request);
    let child = Command::new(env!("CARGO_BIN_EXE_keyrelay"))
        .arg("--config")
        .arg(office.daemon.config_path())
        .arg("leaf7")
        .args(GENERATE)
        .args(["--amount", "300", "--json"])
        .env_clear()
        .envs(office.daemon.environment())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    proxy.holds().await;
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    proxy.let_go();
    let ended = child.wait_with_output().await.unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.ends_with("100 of 300 keys were generated\ninterrupted; nothing more is generated\n"),
        "{told}"
    );
    let shown: Value = serde_json::from_slice(&ended.stdout).expect("a whole array");
    assert_eq!(shown, json!(office.vendor.buyer_keys(office.account)));
}

#[tokio::test]
async fn a_daemon_that_dies_over_a_request_may_have_generated_and_nothing_is_sent_again() {
    let mut office = Office::new().await;
    let proxy = Proxy::to(&office.vendor.base_url(), None).await;
    office.config.set("vendors.leaf7.base_url", proxy.url());
    office.daemon.configure(&mut office.config);
    office.daemon.start_up().await;
    proxy.hold("/api/vendor/keys/buyer/", Hold::Answer);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
    command.arg("--config").arg(office.daemon.config_path()).arg("leaf7").args(GENERATE);
    let ran = tokio::spawn(async move { run(command.env_clear(), b"").await });
    proxy.holds().await;
    office.daemon.kill9();
    let ran = ran.await.unwrap();
    proxy.let_go();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert!(ran.stderr.contains("the answer to one request is lost (the daemon at "), "{ran:?}");
    assert!(ran.stderr.contains("it may have generated a key more, and is not sent again\n"), "{ran:?}");
    assert_eq!((office.vendor.management_requests().0, office.buyer_ids().len()), (1, 1));
}
