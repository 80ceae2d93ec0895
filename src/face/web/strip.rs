//! A credential's strip: warning, rotation, grace and each consumer's tests on a time axis, as SVG. Across it goes by
//! hundredths of whatever room there is, down by pixels, so that its text is as large on a phone as on a desk. It is
//! told every moment, and what its picture means in words as well.

use super::{
    axis::Axis,
    track::{Lane, LaneState, Mark, Moment, Track},
};
use crate::{
    domain::{Timestamp, spell_duration},
    face::text::when,
};
use maud::{Markup, html};

const MARK_ROW: u32 = 16;
const KEY_LANE: u32 = 22;
const LANE: u32 = 38;
/// Below the lane's top.
const LANE_LINE: u32 = 27;
const AXIS: u32 = 24;
/// A letter of a mark's name needs so much of the narrowest strip, in hundredths.
const LETTER: f64 = 1.9;
const MARK_ROWS_MAX: usize = 4;
/// A name is cut here; its consumers' table has it whole.
const NAME_CHARS: usize = 24;

/// `id`: what nothing else on the page is called.
pub fn strip(track: &Track<'_>, id: &str, title: &str) -> Markup {
    let rows = mark_rows(&track.marks, &track.axis);
    let depth = rows.iter().map(|(row, _)| row + 1).max().unwrap_or(0);
    let top = u32::try_from(depth).unwrap_or(0) * MARK_ROW + 4;
    let lanes_top = top + KEY_LANE + 8;
    let lanes = u32::try_from(track.lanes.len()).unwrap_or(0);
    let bottom = lanes_top + lanes * LANE + if track.rest.0 > 0 { MARK_ROW + 4 } else { 0 };
    let height = bottom + AXIS;
    html! {
        svg.strip width="100%" height=(height) role="img" aria-labelledby={ (id) "-title " (id) "-desc" } {
            title id={ (id) "-title" } { (title) }
            desc id={ (id) "-desc" } { (description(track)) }
            @if let Some((from, until)) = track.zone {
                rect.zone x=(pct(track.axis.at(from))) y=(top) width=(width(track, from, until)) height=(bottom - top) {}
            }
            (ticks(track, top, bottom))
            (keys(track, top))
            @for (row, mark) in &rows { (mark_line(track, mark, *row, lanes_top)) }
            (now_line(track, top, lanes_top, bottom))
            @for (number, lane) in (0..).zip(&track.lanes) { (lane_of(track, lane, lanes_top + number * LANE)) }
            @if track.rest.0 > 0 {
                text.lane x="0" y=(bottom - 8) { (rest(track)) }
            }
        }
    }
}

/// Two bars, one above the other while both keys work: the old key to the end of its grace, the current one from its
/// rotation on.
fn keys(track: &Track<'_>, y: u32) -> Markup {
    let axis = &track.axis;
    let begin = track.rotated.unwrap_or(axis.from);
    let old_until = track.zone.map_or(begin, |(_, until)| until);
    let had_old = axis.shows(begin) && track.rotated.is_some();
    html! {
        @if had_old {
            rect.old x="0" y=(y + 2) width=(pct(axis.at(old_until))) height="7" rx="3.5" {}
        }
        rect.ahead x=(pct(axis.at(begin))) y=(y + 13) width=(pct(100.0 - axis.at(begin))) height="7" rx="3.5" {}
        rect.new x=(pct(axis.at(begin))) y=(y + 13) width=(width(track, begin, track.now)) height="7" rx="3.5" {}
    }
}

fn ticks(track: &Track<'_>, top: u32, bottom: u32) -> Markup {
    let now_at = track.axis.at(track.now);
    html! {
        @for (number, (moment, label)) in track.axis.ticks().into_iter().enumerate() {
            @let x = track.axis.at(moment);
            line.tick x1=(pct(x)) x2=(pct(x)) y1=(top) y2=(bottom) {}
            // The word now stands there, or the picture's edge.
            @if (x - now_at).abs() > 7.0 && (4.0..=96.0).contains(&x) {
                text.tick.minor[number % 2 == 1] x=(pct(x)) y=(bottom + 17) text-anchor="middle" { (label) }
            }
        }
    }
}

/// Through the bars and each lane's line, but through nobody's name.
fn crossing(track: &Track<'_>, x: f64, from: u32, lanes_top: u32) -> Markup {
    let lanes = (0..).take(track.lanes.len()).map(|number: u32| lanes_top + number * LANE);
    html! {
        line x1=(pct(x)) x2=(pct(x)) y1=(from) y2=(lanes_top - 6) {}
        @for y in lanes { line x1=(pct(x)) x2=(pct(x)) y1=(y + LANE_LINE - 6) y2=(y + LANE_LINE + 6) {} }
    }
}

fn now_line(track: &Track<'_>, top: u32, lanes_top: u32, bottom: u32) -> Markup {
    let x = track.axis.at(track.now);
    html! {
        g.now { (crossing(track, x, top, lanes_top)) }
        text.now x=(pct(x)) y=(bottom + 17) text-anchor=(anchor(x)) { "now" }
    }
}

fn mark_line(track: &Track<'_>, mark: &Mark, row: usize, lanes_top: u32) -> Markup {
    let x = track.axis.at(mark.at);
    let y = u32::try_from(row).unwrap_or(0) * MARK_ROW;
    let class = match mark.kind {
        Moment::Warning | Moment::NextRotation => "mark",
        Moment::Rotation | Moment::GraceEnd => "mark strong",
        Moment::Deadline => "mark urgent",
    };
    html! {
        g class=(class) {
            title { (mark.kind.words()) ", " (mark.at.minutes()) }
            (crossing(track, x, y + 15, lanes_top))
            text x=(pct(x)) y=(y + 12) dx=(beside(x)) text-anchor=(anchor(x)) { (mark.kind.words()) }
        }
    }
}

/// Above the line who it is and what is shown of it; the line itself is grey while it worked with another key, and
/// ends where it was last tested.
fn lane_of(track: &Track<'_>, lane: &Lane<'_>, y: u32) -> Markup {
    let axis = &track.axis;
    let line = y + LANE_LINE;
    let end = axis.at(track.now);
    let class = lane.state.class();
    html! {
        g class={ "lane " (class) } {
            text.name x="0" y=(y + 15) { (short(lane.name.as_str())) }
            text.state x="100%" y=(y + 15) text-anchor="end" {
                (lane.state.sign()) " " (lane.state.words())
                @if let (Some((_, last)), true) = (lane.shown, shows_age(lane.state)) {
                    tspan.minor { " · " (when(last, track.now)) }
                }
                @if let Some(key) = lane.last_with { tspan.minor { " · last seen with " (key) } }
            }
            @if let Some((first, last)) = lane.shown {
                @let (first_at, last_at) = (axis.at(first), axis.at(last));
                line.before x1="0" x2=(pct(first_at)) y1=(line) y2=(line) {}
                line.since x1=(pct(first_at)) x2=(pct(last_at)) y1=(line) y2=(line) {}
                line.gap x1=(pct(last_at)) x2=(pct(end)) y1=(line) y2=(line) {}
                @if axis.shows(first) { circle.first cx=(pct(first_at)) cy=(line) r="5" {} }
                circle.last cx=(pct(last_at)) cy=(line) r="3" {}
            } @else {
                line.before x1="0" x2=(pct(end)) y1=(line) y2=(line) {}
                circle.open cx=(pct(end)) cy=(line) r="5" {}
            }
        }
    }
}

fn shows_age(state: LaneState) -> bool {
    match state {
        LaneState::Tested(_) | LaneState::Accepted(_) | LaneState::Short(_) | LaneState::Stale(_) => true,
        LaneState::Unproven | LaneState::Elsewhere => false,
    }
}

fn rest(track: &Track<'_>) -> String {
    let (count, good) = track.rest;
    format!("and {count} more consumers, {good} of them at their level")
}

/// Each name in the first row where it touches no other.
fn mark_rows<'m>(marks: &'m [Mark], axis: &Axis) -> Vec<(usize, &'m Mark)> {
    let mut taken: Vec<Vec<(f64, f64)>> = vec![Vec::new(); MARK_ROWS_MAX];
    let place = |mark: &'m Mark| {
        let (x, len) = (axis.at(mark.at), mark.kind.words().len() as f64 * LETTER);
        let span = match anchor(x) {
            "start" => (x, x + len),
            "end" => (x - len, x),
            _ => (x - len / 2.0, x + len / 2.0),
        };
        let free = |row: &Vec<(f64, f64)>| row.iter().all(|(from, to)| span.1 < *from || span.0 > *to);
        let row = taken.iter().position(free).unwrap_or(MARK_ROWS_MAX - 1);
        taken[row].push(span);
        (row, mark)
    };
    marks.iter().map(place).collect()
}

/// The picture in words.
fn description(track: &Track<'_>) -> String {
    let marks = track.marks.iter().map(|mark| format!("{}: {}", mark.kind.words(), mark.at.minutes()));
    let lanes = track.lanes.iter().map(|lane| {
        let since = lane.shown.map(|(first, _)| format!(" since {}", first.minutes())).unwrap_or_default();
        format!("{}: {}{since}", lane.name, lane.state.words())
    });
    let rest = (track.rest.0 > 0).then(|| rest(track));
    let all: Vec<String> = marks.chain(lanes).chain(rest).collect();
    let (from, to) = (track.axis.from, track.axis.to);
    format!("{} in {}. {}.", spell_duration(to.since(from)), from.minutes(), all.join("; "))
}

fn width(track: &Track<'_>, from: Timestamp, to: Timestamp) -> String {
    pct((track.axis.at(to) - track.axis.at(from)).max(0.0))
}
pub(super) fn pct(hundredths: f64) -> String {
    format!("{hundredths:.2}%")
}
/// Text at an edge stays inside.
fn anchor(x: f64) -> &'static str {
    match x {
        x if x < 14.0 => "start",
        x if x > 86.0 => "end",
        _ => "middle",
    }
}
/// A name at an edge begins beside its line.
fn beside(x: f64) -> &'static str {
    match anchor(x) {
        "start" => "3",
        "end" => "-3",
        _ => "0",
    }
}
fn short(name: &str) -> String {
    match name.chars().count() > NAME_CHARS {
        true => name.chars().take(NAME_CHARS - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}
