//! A notice's consumers as a table; as blocks where a row would not fit.

use super::text::{WIDTH, plain, wrap};
use super::times::roughly;
use crate::domain::{ConsumerLine, ProofLevel, Timestamp};

/// More rows than this are counted and left to `keyrelay status`.
const ROWS_MAX: usize = 100;

const HEADINGS: [&str; 4] = ["name", "shown", "wanted", "last tested (UTC)"];
const GAP: &str = "  ";

/// All columns, or where those are too wide, without what is wanted: it is told of those who lack it.
const ALL: &[usize] = &[0, 1, 2, 3];
const FEW: &[usize] = &[0, 1, 3];
const COLUMNS: [&[usize]; 2] = [ALL, FEW];

/// The rows, those that are not as wanted first.
pub(super) fn table(consumers: &[ConsumerLine], at: Timestamp) -> Vec<String> {
    if consumers.is_empty() {
        return Vec::new();
    }
    let mut sorted: Vec<_> = consumers.iter().collect();
    sorted.sort_by_key(|line| line.error.is_none() && line.level >= line.wanted);
    let shown = &sorted[..sorted.len().min(ROWS_MAX)];
    let rows: Vec<[String; 4]> = shown.iter().map(|line| cells(line, at)).collect();
    let widths = widths(&rows);
    let columns = COLUMNS.into_iter().find(|columns| width(columns, widths) <= WIDTH);
    let headings = columns.map(|columns| row(&HEADINGS.map(String::from), columns, widths));
    let mut table: Vec<_> = headings.into_iter().collect();
    for (line, cells) in shown.iter().zip(&rows) {
        table.extend(match columns {
            Some(columns) => vec![row(cells, columns, widths)],
            None => block(cells),
        });
        if columns == Some(FEW) && line.level < line.wanted {
            table.push(format!("    wanted: {}", wanted(line.wanted)));
        }
        if let Some(error) = &line.error {
            table.extend(wrap(&format!("error: {}", plain(error)), 4, 2));
        }
    }
    if sorted.len() > shown.len() {
        table.push(format!("  and {} more: keyrelay status shows all", sorted.len() - shown.len()));
    }
    table
}

fn cells(line: &ConsumerLine, at: Timestamp) -> [String; 4] {
    let tested = line.at.map_or("never with this key".into(), |tested| tested_at(tested, at));
    [line.name.as_str().into(), line.level.words().into(), wanted(line.wanted).into(), tested]
}

/// Of what is enough, the short word.
fn wanted(level: ProofLevel) -> &'static str {
    match level {
        ProofLevel::WorkingCopy => "copy works",
        ProofLevel::Delivered => "delivered",
        ProofLevel::Unproven | ProofLevel::Loaded | ProofLevel::InUse => level.words(),
    }
}

/// `08:58 (1 min ago)`, with the date where it is not the mail's.
fn tested_at(tested: Timestamp, at: Timestamp) -> String {
    let (tested_text, today) = (tested.minutes(), at.minutes());
    let text = tested_text.trim_end_matches(" UTC");
    let text =
        text.split_once(' ').filter(|(date, _)| today.starts_with(date)).map_or(text, |(_, time)| time);
    format!("{text} ({})", roughly(tested, at))
}

fn widths(rows: &[[String; 4]]) -> [usize; 4] {
    std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    })
}

fn width(columns: &[usize], widths: [usize; 4]) -> usize {
    columns.iter().map(|column| GAP.len() + widths[*column]).sum()
}

fn row(cells: &[String; 4], columns: &[usize], widths: [usize; 4]) -> String {
    let mut row = String::new();
    for column in columns {
        let (cell, width) = (&cells[*column], widths[*column]);
        row.push_str(&format!("{GAP}{cell:width$}"));
    }
    row.trim_end().into()
}

fn block(cells: &[String; 4]) -> Vec<String> {
    let mut block = vec![format!("  {}", cells[0])];
    for (heading, cell) in HEADINGS.iter().zip(cells).skip(1) {
        block.push(format!("    {heading:17}  {cell}"));
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const AT: Timestamp = Timestamp::from_secs(1_795_251_600);

    fn consumer(name: &str, level: ProofLevel, error: Option<&str>) -> ConsumerLine {
        ConsumerLine {
            name: name.parse().unwrap(),
            level,
            wanted: ProofLevel::InUse,
            at: (level != ProofLevel::Unproven).then_some(AT - Duration::from_secs(90)),
            error: error.map(String::from),
        }
    }

    #[test]
    fn the_ones_in_trouble_come_first_with_their_error_below() {
        let lines = [
            consumer("ci", ProofLevel::InUse, None),
            consumer("storefront", ProofLevel::Unproven, Some("connection refused")),
            consumer("bot", ProofLevel::WorkingCopy, None),
        ];
        insta::assert_snapshot!(table(&lines, AT).join("\n"), @r"
          name        shown                       wanted  last tested (UTC)
          storefront  not tested                  in use  never with this key
            error: connection refused
          bot         copy works, use not tested  in use  08:58 (1 min ago)
          ci          in use                      in use  08:58 (1 min ago)
        ");
    }

    #[test]
    fn what_is_wanted_gives_way_to_a_long_name_and_is_told_of_those_who_lack_it() {
        let lines = [
            consumer("ci", ProofLevel::InUse, None),
            consumer("the-storefront-of-example", ProofLevel::WorkingCopy, None),
        ];
        insta::assert_snapshot!(table(&lines, AT).join("\n"), @r"
          name                       shown                       last tested (UTC)
          the-storefront-of-example  copy works, use not tested  08:58 (1 min ago)
            wanted: in use
          ci                         in use                      08:58 (1 min ago)
        ");
    }

    #[test]
    fn a_name_too_long_for_a_row_makes_blocks() {
        let lines = [consumer(&"x".repeat(63), ProofLevel::InUse, Some(&"long ".repeat(30)))];
        let table = table(&lines, AT);
        assert!(table.iter().all(|line| line.chars().count() <= WIDTH), "{table:#?}");
        insta::assert_snapshot!(table.join("\n"), @r"
          xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
            shown              in use
            wanted             in use
            last tested (UTC)  08:58 (1 min ago)
            error: long long long long long long long long long long long long long
              long long long long long long long long long long long long long long
              long long long
        ");
    }

    #[test]
    fn rows_beyond_the_limit_are_counted() {
        let lines: Vec<_> =
            (0..ROWS_MAX + 7).map(|n| consumer(&format!("c{n}"), ProofLevel::InUse, None)).collect();
        let table = table(&lines, AT);
        assert_eq!(table.len(), 1 + ROWS_MAX + 1);
        assert_eq!(table.last().unwrap(), "  and 7 more: keyrelay status shows all");
    }
}
