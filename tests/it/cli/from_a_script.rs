//! The README's five steps from a script to keyrelay, with the built program.

use super::Shop;
use serde_json::{Value, json};
use std::{fs, time::Duration};

/// Puts a part of the credential into `config.d`, has it read, and waits until it is in force.
async fn configure(shop: &mut Shop, part: Value, consumers: usize) {
    let observe = part["observe"] == true;
    shop.daemon.dir().folder("config.d");
    let text = json!({"credentials": {"leaf7-main": part}}).to_string();
    shop.daemon.dir().write("config.d/leaf7-main.yaml", &text);
    let check = shop.run(&["check"]).await;
    assert_eq!(check.code, Some(0), "{check:?}");
    shop.daemon.sighup();
    let in_force = |status: &Value| {
        let observing = status["incidents"].as_array()?.iter().any(|one| one["code"] == "observing");
        let count = status["credentials"][0]["consumers"].as_array()?.len();
        (observing == observe && count == consumers).then_some(())
    };
    shop.daemon.wait_status("the new configuration is in force", in_force).await;
}

#[tokio::test]
async fn a_script_is_replaced_in_five_steps() {
    let mut shop = Shop::with(|config| _ = config.remove("credentials.leaf7-main.consumers")).await;
    let (key, file) = (shop.key(), shop.dir.join("shop.key"));
    // The script has handed the key out.
    fs::write(&file, key.expose()).unwrap();
    shop.daemon.start_up().await;

    // Observe: whatever would change something is refused.
    configure(&mut shop, json!({"observe": true}), 0).await;
    let refused = shop.ingest(&key, &[]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("only observed"), "{refused:?}");

    // Ingest, where the script does not keep the key in the store.
    configure(&mut shop, json!({"observe": false}), 0).await;
    let ran = shop.ingest(&key, &[]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");

    // Add the consumers: tested with the key that they have from the script, which is left as it is.
    let consumers = json!({"storefront": {
        "deliver": {"file": {"path": file}},
        "prove": {"http": {"url": shop.consumer.url()}},
    }});
    configure(&mut shop, json!({"observe": true, "consumers": consumers}), 1).await;
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let ran = shop.run(&["prove", "leaf7-main"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);

    // The script is off; observe no more: the next key is handed over.
    configure(&mut shop, json!({"observe": false, "consumers": consumers}), 1).await;
    let second = shop.vendor.rotate(shop.account, Duration::from_secs(3_600));
    let ran = shop.ingest(&second, &[]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(second.expose()));

    // And back: keyrelay changes nothing any more, the script may.
    configure(&mut shop, json!({"observe": true, "consumers": consumers}), 1).await;
    fs::write(&file, key.expose()).unwrap();
    let refused = shop.run(&["deliver", "leaf7-main"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));
}
