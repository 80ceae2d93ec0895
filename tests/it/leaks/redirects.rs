//! Answers that lead elsewhere. `X-Vault-Token` and `X-Api-Key` survive a redirect in most clients, and 307 sends the
//! body again: so nobody here follows one.

use super::wire::{SECRET, SENDERS, Sender, Wire};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

#[tokio::test]
async fn r48_s05_s06_no_redirect_is_followed_and_its_target_hears_neither_header_nor_body() {
    let mut asked = 0;
    for sender in SENDERS {
        for status in STATUSES {
            // Each trap would be content, and one sends back to where the way began.
            let (port, host) = (Wire::content("127.0.0.1").await, Wire::content("127.0.0.2").await);
            let back = Wire::start("127.0.0.1", move |_, _| moved(status, "/there-and-back")).await;
            let tls = format!("https://{}/", port.addr);
            for (what, target) in [
                ("another port", port.url()),
                ("another host", format!("{}/x", host.url())),
                ("without a scheme", format!("//{}/x", host.addr)),
                ("another scheme", tls),
                ("a, b and b again", back.url()),
                ("itself", "/".to_owned()),
                ("eleven hops", "/hop/0".to_owned()),
            ] {
                let hops = what == "eleven hops";
                let first = Wire::start("127.0.0.1", move |_, before| match before {
                    11.. if hops => moved(200, "/"),
                    _ if hops => moved(status, &format!("/hop/{before}")),
                    _ => moved(status, &target),
                })
                .await;
                let (done, told) = sender.ask(&first.url()).await;
                assert!(!done, "{sender:?}, {status} to {what}: {told}");
                assert!(!told.contains(SECRET), "{sender:?}, {status} to {what}: {told}");
                let heard = first.heard();
                assert!(heard.iter().any(|request| request.contains(SECRET)), "{sender:?} sends its secret");
                let secrets = heard.iter().filter(|request| request.contains(SECRET)).count();
                assert_eq!(secrets, 1, "{sender:?}, {status} to {what}: {heard:?}");
                for trap in [&port, &host, &back] {
                    assert_eq!(trap.heard(), Vec::<String>::new(), "{sender:?}, {status} to {what}");
                }
                asked += 1;
            }
            // What a trap hears is kept: one that is asked itself shows it.
            sender.ask(&port.url()).await;
            assert!(port.heard().iter().any(|request| request.contains(SECRET)), "{sender:?}");
        }
    }
    println!("{asked} redirects, of which none was followed");
    assert_eq!(asked, SENDERS.len() * STATUSES.len() * 7);
}

/// Without it the table above would hold for a client that never says anything is well.
#[tokio::test]
async fn the_same_senders_are_content_with_a_good_answer() {
    for sender in SENDERS.into_iter().filter(|sender| *sender != Sender::Proof) {
        let good = Wire::content("127.0.0.1").await;
        let (done, told) = sender.ask(&good.url()).await;
        assert!(done, "{sender:?}: {told}; {:?}", good.heard());
    }
}

fn moved(status: u16, target: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .into()
}
