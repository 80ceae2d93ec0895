//! What the vendor refuses, word by word; what does not answer, or answers something else; and what nobody would mean.

use super::{Office, PROJECT};
use keyrelay::demo::simulator::{Faults, Mishap, Mode};

const UNKNOWN: &str = "00000000-0000-0000-0000-000000000000";

#[tokio::test]
async fn each_documented_error_is_shown_word_by_word() {
    let mut office = Office::new().await;
    office.vendor.stock_buyer_keys(office.account, PROJECT, 1);
    let redeemed = office.buyer_ids()[0].clone();
    office.vendor.redeem(office.account, &redeemed, "1");
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        let generate = ["buyer", "generate", "--project", PROJECT];
        office.vendor.set_discord_linked(office.account, false);
        assert_eq!(
            office.refused(&generate, 1).await,
            "0 of 1 keys were generated\nthe vendor refuses it (403): Discord account must be linked before you can generate buyer keys.\n"
        );
        office.vendor.set_discord_linked(office.account, true);
        assert_eq!(
            office.refused(&["buyer", "generate", "--project", "another"], 1).await,
            "0 of 1 keys were generated\nthe vendor refuses it (404): Project not found\n"
        );
        assert_eq!(
            office.refused(&["buyer", "delete", &redeemed, "--yes"], 1).await,
            "the vendor refuses it (400): Cannot delete a redeemed key\n"
        );
        for operation in [
            &["buyer", "delete", UNKNOWN, "--yes"][..],
            &["active", "ban", UNKNOWN, "--yes"],
            &["active", "unban", UNKNOWN],
            &["active", "reset-hwid", UNKNOWN, "--yes"],
            &["active", "set-hwid", UNKNOWN, "x", "--yes"],
            &["active", "set-hwid", UNKNOWN, "--clear", "--yes"],
        ] {
            assert_eq!(office.refused(operation, 1).await, "the vendor refuses it (404): Key not found\n");
        }
        let (all, _) = office.vendor.management_requests();
        assert_eq!(all, if beside { 18 } else { 9 }, "nothing is tried twice");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_vendor_is_said_in_words_and_nothing_is_tried_twice() {
    let mut office = Office::new().await;
    office.vendor.stock_buyer_keys(office.account, PROJECT, 2);
    let mut asked = 0;
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        let id = office.buyer_ids()[0].clone();
        for (mode, list, ban) in [
            (Mode::WebPage, "200 (OK) with a web page", ""),
            (
                Mode::CaptivePortal,
                "nothing was done: 302 (Found): a redirect to another host, which is not followed",
                "nothing was done: 302 (Found): a redirect to another host, which is not followed\n",
            ),
            (Mode::Unavailable, "503 (Service Unavailable) with an object that says nothing of it", ""),
        ] {
            office.vendor.set_faults(mode);
            assert_eq!(office.refused(&["buyer", "list"], 3).await, format!("{list}\n"), "{mode:?}");
            let may = format!(
                "it may have been done, and the answer was lost: {list}\nkeyrelay leaf7 active list --credential leaf7-main\n"
            );
            let expected = if ban.is_empty() { &may } else { ban };
            assert_eq!(&office.refused(&["active", "ban", &id, "--yes"], 3).await, expected, "{mode:?}");
            asked += 2;
        }
        office.vendor.set_faults(Faults::none());
        office.vendor.order_mishaps([
            Mishap::Firewall,
            Mishap::Lost,
            Mishap::Limited(None),
            Mishap::Limited(Some("7".into())),
        ]);
        assert_eq!(office.refused(&["active", "list"], 3).await, "403 (Forbidden) with a web page\n");
        assert_eq!(
            office.refused(&["buyer", "delete", &id, "--yes"], 3).await,
            "it may have been done, and the answer was lost: 127.0.0.1 did not send a whole HTTP answer\n\
             keyrelay leaf7 buyer list --credential leaf7-main\n"
        );
        assert!(!office.buyer_ids().contains(&id), "it was done");
        let busy = "the vendor's rate limit is used up (429): Rate limit exceeded\n";
        assert_eq!(
            office.refused(&["buyer", "list"], 3).await,
            format!("{busy}try again in a minute; the vendor does not say when\n")
        );
        assert_eq!(
            office.refused(&["buyer", "generate", "--project", PROJECT], 3).await,
            format!("0 of 1 keys were generated\n{busy}try again in 7 s, as the vendor says\n")
        );
        asked += 4;
        assert_eq!(office.vendor.management_requests().0, asked);
    }
}

#[tokio::test]
async fn a_list_that_is_too_large_is_an_error_and_no_part_of_it_is_shown() {
    let mut office = Office::new().await;
    office.vendor.stock_buyer_keys(office.account, PROJECT, 50_000);
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        let said = office.refused(&["buyer", "list", "--json"], 3).await;
        assert_eq!(said, "200 (OK), but the answer of 127.0.0.1 is larger than 8388608 bytes\n");
    }
}

#[tokio::test]
async fn without_vendor_or_store_nothing_is_done() {
    let mut office = Office::new().await;
    office.vendor.stock_buyer_keys(office.account, PROJECT, 1);
    let id = office.buyer_ids()[0].clone();
    let delete = ["buyer", "delete", &id, "--yes"];
    let closed = crate::world::Port::free();
    let here = office.vendor.base_url();
    for beside in [false, true] {
        office.config.set("vendors.leaf7.base_url", format!("http://127.0.0.1:{}", closed.number));
        office.daemon.configure(&mut office.config);
        if beside {
            office.daemon.start_up().await;
        }
        assert_eq!(office.refused(&delete, 3).await, "nothing was done: 127.0.0.1 refuses the connection\n");
        if beside {
            assert!(office.daemon.term().await.success());
        }
        office.config.set("vendors.leaf7.base_url", here.clone());
        office.daemon.configure(&mut office.config);
        if beside {
            office.daemon.start_up().await;
        }
        office.bao.seal().await;
        let said = office.refused(&delete, 3).await;
        assert!(said.starts_with("nothing was done, because the key cannot be read: "), "{said}");
        office.bao.unseal().await;
    }
    assert_eq!(office.vendor.management_requests().0, 0);
    assert_eq!(office.buyer_ids(), [id]);
}

#[tokio::test]
async fn nobody_to_ask_is_no_yes_and_what_cannot_be_meant_is_a_mistake() {
    let office = Office::new().await;
    for operation in [
        &["buyer", "delete", "k-1"][..],
        &["active", "ban", "k-1"],
        &["active", "reset-hwid", "k-1"],
        &["active", "set-hwid", "k-1", "machine"],
        &["active", "set-hwid", "k-1", "--clear"],
        &["buyer", "generate", "--project", PROJECT, "--days", "0"],
    ] {
        let said = office.refused(operation, 1).await;
        assert_eq!(
            said, "nobody is there to be asked\nto do it without a question, add --yes\n",
            "{operation:?}"
        );
    }
    for mistake in [
        &["active", "ban", ""][..],
        &["active", "ban", "../projects"],
        &["active", "ban", ".."],
        &["active", "ban", "k-1/ban"],
        &["active", "ban", "k-1?x=y"],
        &["active", "ban", "k 1"],
        &["active", "set-hwid", "k-1"],
        &["active", "set-hwid", "k-1", "machine", "--clear"],
        &["active", "set-hwid", "k-1", " "],
        &["buyer", "generate"],
        &["buyer", "generate", "--project", PROJECT, "--amount", "0"],
        &["buyer", "generate", "--project", PROJECT, "--amount", "100001"],
        &["buyer"],
    ] {
        assert_eq!(office.leaf7(mistake).await.code, Some(2), "{mistake:?}");
    }
    assert_eq!(office.vendor.management_requests().0, 0);
}
