//! Calm credentials below each other on one time axis: each with a bar from its rotation to the next one.

use super::{axis::Axis, strip::pct};
use crate::{
    domain::{Timestamp, spell_duration},
    face::status::Credential,
};
use maud::{Markup, html};
use std::time::Duration;

const HEIGHT: u32 = 22;
/// Older rotations, and later ones, are at the edge: one that is a year off would press all others together.
const REACH: Duration = Duration::from_secs(14 * 86_400);

/// From the earliest rotation to the latest that is to come.
pub fn axis_of_all(credentials: &[&Credential], now: Timestamp) -> Axis {
    let rotated = credentials.iter().filter_map(|credential| credential.rotated_at);
    let expected = credentials.iter().filter_map(|credential| credential.next_rotation_expected_at);
    let from = rotated.min().unwrap_or(now).min(now).max(now - REACH);
    let to = expected.max().unwrap_or(now).max(now).min(now + REACH);
    Axis::around(from, to)
}

/// The ticks' names, once for all.
pub fn scale(axis: &Axis, now: Timestamp) -> Markup {
    let now_at = axis.at(now);
    html! {
        span {}
        svg width="100%" height="18" {
            @for (number, (moment, label)) in axis.ticks().into_iter().enumerate() {
                @let x = axis.at(moment);
                @if (x - now_at).abs() > 8.0 && (5.0..=95.0).contains(&x) {
                    text.tick.minor[number % 2 == 1] x=(pct(x)) y="13" text-anchor="middle" { (label) }
                }
            }
            text.now x=(pct(now_at)) y="13" text-anchor="middle" { "now" }
        }
        span.value.minor { "left" }
    }
}

pub fn bar(credential: &Credential, axis: &Axis, now: Timestamp) -> Markup {
    let middle = HEIGHT / 2;
    let begin = axis.at(credential.rotated_at.unwrap_or(axis.from));
    let end = credential.next_rotation_expected_at.map_or(100.0, |expected| axis.at(expected));
    let now_at = axis.at(now);
    html! {
        svg.bar width="100%" height=(HEIGHT) role="img" aria-label=(words(credential, now)) {
            @for (moment, _) in axis.ticks() {
                line.tick x1=(pct(axis.at(moment))) x2=(pct(axis.at(moment))) y1="0" y2=(HEIGHT) {}
            }
            rect.ahead x=(pct(begin)) y=(middle - 3) width=(pct((end - begin).max(0.0))) height="6" rx="3" {}
            rect.new x=(pct(begin)) y=(middle - 3) width=(pct((now_at - begin).max(0.0))) height="6" rx="3" {}
            g.now { line x1=(pct(now_at)) x2=(pct(now_at)) y1="0" y2=(HEIGHT) {} }
        }
    }
}

fn words(credential: &Credential, now: Timestamp) -> String {
    let ago = credential.rotated_at.map(|at| format!("rotated {} ago", spell_duration(now.since(at))));
    let ahead = credential.next_rotation_expected_at;
    let ahead = ahead.map(|at| format!("next rotation in {}", spell_duration(at.since(now))));
    [ago, ahead].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
