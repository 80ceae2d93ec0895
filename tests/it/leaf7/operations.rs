//! All eight operations, as they go well.

use super::{Office, PROJECT, calm, credential, ids};
use serde_json::{Value, json};

#[tokio::test]
async fn all_eight_operations_work_alone_and_beside_a_daemon() {
    let mut office = Office::new().await;
    all_eight(&office).await;
    let ran = office.leaf7(&["buyer", "list"]).await;
    assert!(ran.stderr.starts_with("no daemon answers at ") && ran.stderr.ends_with("; doing it here\n"));
    let alone = office.lines();

    office.daemon.start_up().await;
    all_eight(&office).await;
    let ran = office.leaf7(&["buyer", "list"]).await;
    assert_eq!(ran.stderr, "", "the daemon does it");
    office.no_customers_key_is_written_down();
    let names = |lines: &[Value]| lines.iter().map(|line| line["operation"].clone()).collect::<Vec<_>>();
    let both = office.lines();
    let expected = [
        "buyer generate",
        "buyer generate",
        "active ban",
        "active unban",
        "active reset-hwid",
        "active set-hwid",
        "active set-hwid",
        "buyer delete",
    ];
    assert_eq!(names(&alone), expected);
    assert_eq!(names(&both[alone.len()..]), expected, "the daemon writes down the same");
    let first = &both[0];
    assert_eq!(
        (&first["amount"], &first["generated"], &first["outcome"]),
        (&3.into(), &3.into(), &"done".into())
    );
    assert_eq!(
        (&first["project_id"], &first["uid"]),
        (&PROJECT.into(), &rustix::process::getuid().as_raw().into())
    );
    assert_eq!(both[2]["key_sha256"].as_str().map(str::len), Some(16));
}

async fn all_eight(office: &Office) {
    let before = office.buyer_ids().len();
    let generated =
        office.done(&["buyer", "generate", "--project", PROJECT, "--amount", "3", "--days", "7"]).await;
    let new = office.vendor.buyer_keys(office.account)[before..].to_vec();
    let [redeemed, deleted, _] = &ids(&new)[..] else { panic!("three keys: {new:?}") };
    assert_eq!(generated.lines().count(), 4, "titles and three keys: {generated}");
    assert!(ids(&new).iter().all(|id| generated.contains(id)), "{generated}");
    assert_eq!((&new[0]["key_days"], &new[0]["key_hours"]), (&7.into(), &0.into()));
    let one = office.json(&["buyer", "generate", "--project", PROJECT]).await;
    assert_eq!(one[0]["key_days"], 30, "the vendor's own default");
    office.vendor.redeem(office.account, redeemed, "80351110224678912");

    let all = office.vendor.buyer_keys(office.account);
    assert_eq!(office.json(&["buyer", "list"]).await, json!(all));
    assert_eq!(office.json(&["buyer", "list", "--project", "another"]).await, json!([]));
    let listed = office.done(&["buyer", "list", "--project", PROJECT]).await;
    assert_eq!(listed.lines().count(), all.len() + 1, "{listed}");
    let row = listed.lines().find(|line| line.starts_with(redeemed.as_str())).expect("a row");
    assert!(row.contains("7 d") && row.ends_with("yes       80351110224678912"), "{row}");
    assert_eq!(office.done(&["buyer", "list", "--project", "another"]).await, "there are no buyer keys\n");

    let key = async || {
        let active = office.vendor.active_keys(office.account);
        active.into_iter().find(|key| key["key_id"] == redeemed.as_str()).expect("an active key")
    };
    assert_eq!(office.json(&["active", "list"]).await, json!(office.vendor.active_keys(office.account)));
    assert!(office.done(&["active", "list", "--project", PROJECT]).await.contains("HWID-"));
    assert_eq!(office.done(&["active", "list", "--project", "another"]).await, "there are no active keys\n");
    assert_eq!(office.done(&["active", "ban", redeemed, "--yes"]).await, "the key is banned\n");
    assert_eq!(key().await["banned"], true);
    office.done(&["active", "unban", redeemed]).await;
    assert_eq!(key().await["banned"], false);
    office.done(&["active", "reset-hwid", redeemed, "--yes"]).await;
    assert_eq!((&key().await["hwid"], &key().await["hwid_resets"]), (&Value::Null, &1.into()));
    let answer = office.json(&["active", "set-hwid", redeemed, "a new machine", "--yes"]).await;
    assert_eq!(answer, json!({"status": "success", "hwid": "a new machine"}));
    assert_eq!(key().await["hwid"], "a new machine");
    office.done(&["active", "set-hwid", redeemed, "--clear", "--yes"]).await;
    assert_eq!(key().await["hwid"], Value::Null);
    assert_eq!(office.done(&["buyer", "delete", deleted, "--yes"]).await, "the key is deleted\n");
    assert!(!office.buyer_ids().contains(deleted));
}

#[tokio::test]
async fn of_two_credentials_one_is_named_and_neither_sees_the_others_keys() {
    let other = "2f0c6f2e-6a55-4c1e-9d0e-000000000002";
    let mut office = Office::with(calm(), |config, _| {
        config.set("credentials.leaf7-second", credential("vendors/leaf7/second", other));
    })
    .await;
    let second = office.vendor.new_account("second", &[other]);
    let key = office.vendor.current_key(second);
    office.bao.write("vendors/leaf7/second", json!({"api_key": key.expose()})).await;
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        let said = office.refused(&["buyer", "list"], 2).await;
        assert_eq!(
            said,
            "several credentials are of the vendor leaf7: leaf7-main, leaf7-second\nsay which one: --credential leaf7-main\n"
        );
        let said = office.refused(&["buyer", "list", "--credential", "leaf7-scond"], 2).await;
        assert!(
            said.starts_with("there is no credential named \"leaf7-scond\"; did you mean \"leaf7-second\"?"),
            "{said}"
        );

        let main = ["--credential", "leaf7-main"];
        let theirs = ["--credential", "leaf7-second"];
        let generate = ["buyer", "generate", "--project", PROJECT];
        office.done(&[&generate[..], &main].concat()).await;
        let ours = office.buyer_ids();
        office.vendor.redeem(office.account, &ours[0], "1");
        let said = office.refused(&[&generate[..], &theirs].concat(), 1).await;
        assert_eq!(said, "0 of 1 keys were generated\nthe vendor refuses it (404): Project not found\n");
        assert_eq!(office.json(&[&["buyer", "list"][..], &theirs].concat()).await, json!([]));
        assert_eq!(office.json(&[&["active", "list"][..], &theirs].concat()).await, json!([]));
        for operation in [&["buyer", "delete", &ours[0], "--yes"][..], &["active", "ban", &ours[0], "--yes"]]
        {
            let said = office.refused(&[operation, &theirs].concat(), 1).await;
            assert_eq!(said, "the vendor refuses it (404): Key not found\n");
        }
        assert_eq!(office.buyer_ids(), ours);
    }
}

#[tokio::test]
async fn a_credential_of_another_vendor_has_no_keys_to_manage() {
    let crm = json!({"vendor": "leadey", "path": "vendors/leaf7/crm", "consumers": {}});
    let office = Office::with(calm(), |config, _| {
        config.set("credentials.crm", crm.clone());
    })
    .await;
    assert_eq!(
        office.refused(&["buyer", "list", "--credential", "crm"], 2).await,
        "crm is not of the vendor leaf7; these are: leaf7-main\n"
    );
    assert_eq!(office.json(&["buyer", "list"]).await, json!([]), "the only one of Leaf7 is meant");
    let none = Office::with(calm(), |config, _| {
        config.set("credentials", json!({"crm": crm}));
    })
    .await;
    assert_eq!(
        none.refused(&["active", "list"], 2).await,
        "no credential is of the vendor leaf7\nadd one to the configuration, with vendor: leaf7\n"
    );
}
