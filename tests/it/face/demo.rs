//! `keyrelay demo` serves the page too: a whole rotation can be watched with nothing installed.

use super::browser::{self, DESK};
use crate::world::{Scratch, Server, until};
use rustix::process::Signal;
use std::path::Path;

#[tokio::test]
async fn the_demo_says_where_its_page_is_and_a_rotation_is_seen_there() {
    let dir = Scratch::new();
    let env = [("TMPDIR", dir.path().as_os_str())];
    let program = Path::new(env!("CARGO_BIN_EXE_keyrelay"));
    let mut demo = Server::start(program, ["demo"], &env, &dir.join("log"));
    let url = until("it says where the page is", async || {
        demo.assert_running();
        let log = demo.log();
        let (_, rest) = log.split_once("as a page, live: ")?;
        Some(rest.split_once('\n')?.0.to_owned())
    })
    .await;
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    if let Some(mut browser) = browser::start().await {
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        until("it listens", async || tokio::net::TcpStream::connect(&address).await.ok()).await;
        browser.open(&url, DESK).await;
        let seen = "(() => { const main = document.querySelector('#leaf7-main');
            return [main.querySelector('.key').textContent.includes('generation 1'),
                ...Array.from(main.querySelectorAll('.lane .state'), (each) => each.textContent.startsWith('✓ in use'))]; })()";
        until("the first rotation is through, before the reader's eyes", async || {
            let all = browser.evaluate(seen).await;
            (all == serde_json::json!([true, true, true, true])).then_some(())
        })
        .await;
        browser.picture("demo-desk-light").await;
        assert_eq!(browser.complaints, Vec::<String>::new());
    }
    demo.signal(Signal::INT);
    assert_eq!(demo.ended().await.code(), Some(0));
}
