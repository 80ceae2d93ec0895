//! The page in Chromium: what is on it, that it fits, that nothing is complained about. The pictures lie in
//! target/screenshots, for a person to look at.

use super::{
    browser::{self, Browser, DESK, HALF, PHONE, View},
    fixtures::{self, Fleet},
};
use axum::{
    Router,
    http::header,
    response::{Html, Sse, sse::Event},
    routing::get,
};
use keyrelay::{demo::serve::Server, face::web};
use serde_json::json;
use std::convert::Infallible;

/// The pages under the names of their fleets, as the daemon would answer; their stream is open and silent.
async fn serve(fleets: &[Fleet]) -> Server {
    let mut router = Router::new().route(
        "/events",
        get(|| async { Sse::new(futures_util::stream::pending::<Result<Event, Infallible>>()) }),
    );
    for fleet in fleets {
        let page = fleet.page();
        let policy = web::CONTENT_SECURITY_POLICY.clone();
        let answer = move || async move { ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)) };
        router = router.route(&format!("/{}", fleet.name), get(answer));
    }
    Server::start(router).await.expect("a port")
}

async fn look(browser: &mut Browser, server: &Server, fleet: &str, view: View) {
    browser.open(&format!("http://{}/{fleet}", server.addr), view).await;
}

#[tokio::test]
async fn the_page_fits_a_phone_and_a_desk_in_light_and_dark_and_nothing_is_complained_about() {
    let fleets = [
        fixtures::calm(),
        fixtures::grace(),
        fixtures::urgent(),
        fixtures::hand_over(),
        fixtures::twenty(),
        fixtures::wide(),
        fixtures::every_phase(),
    ];
    let server = serve(&fleets).await;
    let Some(mut browser) = browser::start().await else { return };
    for fleet in &fleets {
        for (device, view) in [("desk", DESK), ("half", HALF), ("phone", PHONE)] {
            for scheme in ["light", "dark"] {
                look(&mut browser, &server, fleet.name, View { scheme, ..view }).await;
                let wide = browser.evaluate("document.documentElement.scrollWidth").await;
                assert_eq!(wide, json!(view.width), "{} on a {device}: it scrolls sideways", fleet.name);
                let lost = browser.evaluate(OUTSIDE).await;
                assert_eq!(lost, json!([]), "{} on a {device}: cut off at an edge", fleet.name);
                let faint = browser.evaluate(FAINT).await;
                assert_eq!(faint, json!([]), "{} in {scheme}: too little contrast", fleet.name);
                browser.picture(&format!("{}-{device}-{scheme}", fleet.name)).await;
            }
        }
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// Texts that begin or end outside of the window.
const OUTSIDE: &str = "Array.from(document.querySelectorAll('main *')).filter((each) => {
    const box = each.getBoundingClientRect();
    const text = Array.from(each.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
    return text && box.width > 0 && (box.left < -0.5 || box.right > innerWidth + 0.5);
}).map((each) => each.textContent)";

/// Texts with less than 4.5 to 1 against what is behind them (WCAG 2.2, 1.4.3).
const FAINT: &str = "(() => {
    const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => parse(colour).slice(0, 3).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }).reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = (each) => {
        for (let above = each; above; above = above.parentElement) {
            const colour = getComputedStyle(above).backgroundColor;
            const [, , , alpha = 1] = parse(colour);
            if (alpha > 0) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const found = new Set();
    for (const each of document.querySelectorAll('main *')) {
        if (!Array.from(each.childNodes).some((node) => node.nodeType === 3 && node.data.trim())) continue;
        if (each.getBoundingClientRect().width === 0 || ['title', 'desc'].includes(each.tagName)) continue;
        const style = getComputedStyle(each);
        const front = each instanceof SVGElement ? style.fill : style.color;
        const [one, two] = [light(front), light(behind(each))].sort((a, b) => b - a);
        const ratio = (one + 0.05) / (two + 0.05);
        if (ratio < 4.5) found.add(`${each.className.baseVal ?? each.className} ${each.tagName}: ${ratio.toFixed(2)}`);
    }
    return Array.from(found).sort();
})()";

#[tokio::test]
async fn one_look_says_what_is_wrong_who_holds_which_key_and_how_long_is_left() {
    let fleet = fixtures::urgent();
    let server = serve(&[fleet]).await;
    let Some(mut browser) = browser::start().await else { return };
    look(&mut browser, &server, "urgent", DESK).await;
    let text = |selector: &str| {
        format!("Array.from(document.querySelectorAll('{selector}'), (each) => each.textContent.trim())")
    };
    assert_eq!(browser.evaluate("document.title").await, "1 urgent · keyrelay on relay-1");
    assert_eq!(browser.evaluate(&text("h1")).await, json!(["One thing is urgent."]));
    assert_eq!(browser.evaluate(&text(".problem .severity")).await, json!(["urgent", "warning"]));
    let commands =
        ["keyrelay prove leaf7-main --consumer web-shop", "keyrelay accept leaf7-bot 00112233aabbccdd"];
    assert_eq!(browser.evaluate(&text(".problem code")).await, json!(commands));
    assert_eq!(
        browser.evaluate(&text("h2")).await,
        json!(["leaf7-main", "leaf7-bot"]),
        "the worst is on top"
    );
    let left = json!(["1 h 55 min left to reach every consumer", "21 h until the next rotation"]);
    assert_eq!(browser.evaluate(&text(".left")).await, left);
    let lanes = json!([
        "✓ in use · 15 min ago",
        "✕ not tested · last seen with fedcba9876543210",
        "○ copy works, use not tested · 15 min ago"
    ]);
    assert_eq!(browser.evaluate(&text("#leaf7-main .lane .state")).await, lanes);
    let marks = "Array.from(document.querySelectorAll('#leaf7-main .mark text'), (each) => each.textContent)";
    assert_eq!(browser.evaluate(marks).await, json!(["warning", "rotation", "deadline", "old key dies"]));
    // From left to right as in time.
    let places = "Array.from(document.querySelectorAll('#leaf7-main .mark line:first-of-type, #leaf7-main .now line:first-of-type'), (each) => each.x1.baseVal.value)";
    let places = browser.evaluate(places).await;
    let places: Vec<f64> = serde_json::from_value(places).expect("numbers");
    let [warning, rotation, deadline, dies, now] = places[..] else { panic!("{places:?}") };
    assert!(warning < rotation && rotation < now && now < deadline && deadline < dies, "{places:?}");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[tokio::test]
async fn who_sees_no_picture_hears_it_and_who_runs_no_script_reads_it() {
    let server = serve(&[fixtures::grace()]).await;
    let Some(mut browser) = browser::start().await else { return };
    browser.allow_scripts(false).await;
    look(&mut browser, &server, "grace", DESK).await;
    let strip = "(() => { const strip = document.querySelector('svg.strip');
        return [strip.getAttribute('role'), ...strip.getAttribute('aria-labelledby').split(' ')
            .map((id) => document.getElementById(id).textContent)]; })()";
    let said = browser.evaluate(strip).await;
    assert_eq!((&said[0], &said[1]), (&json!("img"), &json!("leaf7-main: its keys over time")));
    let words = said[2].as_str().expect("a text");
    for part in [
        "warning: 2026-11-20 04:00 UTC",
        "old key dies: 2026-11-22 04:00 UTC",
        "storefront: in use since",
        "billing-worker: not tested",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let rows = browser
        .evaluate(
            "Array.from(document.querySelectorAll('details th[scope=row]'), (each) => each.textContent)",
        )
        .await;
    assert_eq!(rows, json!(["storefront", "billing-worker", "web-shop"]));
    let refresh = browser.evaluate("document.querySelector('noscript').innerHTML").await;
    assert!(refresh.as_str().is_some_and(|text| text.contains("http-equiv=\"refresh\"")), "{refresh}");
    let unnamed = "Array.from(document.querySelectorAll('section, nav, svg')).filter((each) =>
        !each.getAttribute('aria-label') && !each.getAttribute('aria-labelledby')).length";
    assert_eq!(browser.evaluate(unnamed).await, json!(0));
    let ids = "(() => { const ids = Array.from(document.querySelectorAll('[id]'), (each) => each.id); return ids.length - new Set(ids).size; })()";
    assert_eq!(browser.evaluate(ids).await, json!(0), "no id twice");
}
