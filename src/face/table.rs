//! Rows below each other, as a person reads them. Nothing is cut: what is wide makes its column wide.

use super::page::printable;

/// A line of titles, and one for each row.
pub fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    let mut lines = vec![titles.iter().map(ToString::to_string).collect::<Vec<_>>()];
    lines.extend(
        rows.iter().map(|row| row.iter().map(|cell| printable(cell).replace(['\n', '\t'], " ")).collect()),
    );
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..titles.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| {
            let padding = width - cell.chars().count();
            format!("{cell}{}", " ".repeat(padding))
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them_and_nobody_elses_text_steers_the_terminal() {
        let rows = [vec!["a-long-one".into(), "no".into()], vec!["b".into(), "\u{1b}[2J\n".into()]];
        assert_eq!(
            table(&["KEY", "BANNED"], &rows),
            "KEY         BANNED\na-long-one  no\nb           ?[2J\n"
        );
        assert_eq!(table(&["KEY"], &[]), "KEY\n");
    }
}
