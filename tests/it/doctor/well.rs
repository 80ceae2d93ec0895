//! Everything is in order: what is said then, and what is left behind.

use super::{Ward, lines};
use serde_json::json;

#[tokio::test]
async fn a_site_in_order_is_shown_line_by_line_and_ends_with_0() {
    let mut ward = Ward::new().await;
    let ran = ward.doctor(&[]).await;
    println!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(0));
    let _ = (lines(&ran), json!({}));
}
