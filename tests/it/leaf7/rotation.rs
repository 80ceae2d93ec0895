//! The vendor's key changes while it is used.

use super::{DAY, Office, PROJECT};
use crate::world::{Hold, Proxy};

const GENERATE: [&str; 4] = ["buyer", "generate", "--project", PROJECT];

#[tokio::test]
async fn a_key_that_is_rotated_in_between_is_replaced_by_the_new_one_and_the_call_is_made_once() {
    let mut office = Office::new().await;
    let proxy = Proxy::to(&office.vendor.base_url(), None).await;
    office.config.set("vendors.leaf7.base_url", proxy.url());
    office.daemon.configure(&mut office.config);
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        let (requests, generated) = office.vendor.management_requests();
        let old = office.key();
        proxy.hold("/api/vendor/keys/buyer/", Hold::Request);
        let rotate = async {
            proxy.holds().await;
            let new = office.vendor.rotate(office.account, DAY);
            let ran = office.daemon.run_with(&["ingest", "leaf7-main"], &format!("{}\n", new.expose())).await;
            assert_eq!(ran.code, Some(0), "{ran:?}");
            office.vendor.revoke(&old);
            proxy.let_go();
        };
        let (ran, ()) = tokio::join!(office.leaf7(&GENERATE), rotate);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.ends_with("1 key was generated\n"), "{ran:?}");
        let after = office.vendor.management_requests();
        assert_eq!((after.0 - requests, after.1 - generated), (2, 1), "refused once, done once");
    }
    office.no_customers_key_is_written_down();
}

#[tokio::test]
async fn a_key_that_the_vendor_refuses_and_no_other_replaces_is_tried_once() {
    let mut office = Office::new().await;
    office.vendor.revoke(&office.key());
    for (beside, requests) in [(false, 1), (true, 2)] {
        if beside {
            office.daemon.start_up().await;
        }
        assert_eq!(
            office.refused(&["buyer", "list"], 1).await,
            "the vendor refuses the key that is in the store (401): Not authenticated\nkeyrelay status leaf7-main\n"
        );
        assert_eq!(office.vendor.management_requests().0, requests);
    }
    // It is a sign of a rotation as well.
    office
        .daemon
        .wait_status("the key was asked after", |status| {
            (status["credentials"][0]["last_probe"]["verdict"] == "dead").then_some(())
        })
        .await;
}

#[tokio::test]
async fn without_a_key_in_the_store_there_is_nothing_to_call_with() {
    let mut office = Office::new().await;
    office.bao.delete(super::PATH).await;
    for beside in [false, true] {
        if beside {
            office.daemon.start_up().await;
        }
        assert_eq!(
            office.refused(&["buyer", "list"], 1).await,
            "there is no key of leaf7-main in the store\nkeyrelay ingest leaf7-main\n"
        );
    }
    assert_eq!(office.vendor.management_requests().0, 0);
}
