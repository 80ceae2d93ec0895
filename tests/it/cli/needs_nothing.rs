//! What an installation calls before there is a configuration.

use super::Shop;
use std::fs;

#[tokio::test]
async fn the_manual_page_and_the_completions_need_no_configuration() {
    let shop = Shop::new().await;
    fs::remove_file(shop.daemon.config_path()).unwrap();
    for (args, first) in [
        (&["man"][..], ".ie "),
        (&["completions", "bash"], "_keyrelay()"),
        (&["completions", "zsh"], "#compdef keyrelay"),
        (&["completions", "fish"], "# Print an optspec"),
    ] {
        let ran = shop.run(args).await;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{args:?}: {ran:?}");
        assert!(ran.stdout.starts_with(first), "{args:?}: {}", &ran.stdout[..80]);
    }
    let ran = shop.run(&["completions", "tcsh"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
}
