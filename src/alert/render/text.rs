//! Text for a mail: nothing invisible, nothing wider than a terminal, nothing lost.

/// The widest line of a mail; a command is never broken and may be longer.
pub(super) const WIDTH: usize = 78;

/// Programs that a hint tells the operator to type.
const PROGRAMS: [&str; 7] = ["keyrelay", "systemctl", "journalctl", "timedatectl", "bao", "vault", "df"];

/// A longer line that begins with a program's name is a sentence about it.
const COMMAND_WORDS_MAX: usize = 7;

/// The text with every character escaped that is invisible or moves others: control characters, line ends, the marks
/// that turn the direction of writing, zero-width characters. What came out of a mail or from a server can neither
/// paint a terminal nor hide.
pub(in crate::alert) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => plain.push(c),
            _ => plain.extend(c.escape_debug()),
        }
    }
    plain
}

/// The text's lines, each made [`plain`], without empty ones.
pub(super) fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| plain(line.trim())).filter(|line| !line.is_empty())
}

/// Breaks one line of text at blanks so that no line with its indent is wider than [`WIDTH`]; a longer word is broken
/// where it must be. Lines after the first are indented by `hang` more.
pub(super) fn wrap(text: &str, indent: usize, hang: usize) -> Vec<String> {
    let mut wrapped = Vec::new();
    let (mut line, mut used, mut margin) = (String::new(), 0, indent);
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let blank = usize::from(used > 0);
            let room = WIDTH.saturating_sub(margin + used + blank);
            let whole = rest.len() <= room;
            if !whole && used > 0 {
                wrapped.push(std::mem::take(&mut line));
                (used, margin) = (0, indent + hang);
                continue;
            }
            let piece: Vec<char> = rest.drain(..if whole { rest.len() } else { room.max(1) }).collect();
            line.push_str(&" ".repeat(if used == 0 { margin } else { blank }));
            line.extend(&piece);
            used += blank + piece.len();
        }
    }
    if used > 0 {
        wrapped.push(line);
    }
    wrapped
}

/// Whether an operator could type this line as it stands.
fn is_command(line: &str) -> bool {
    let words = line.split_whitespace().count();
    let program = line.split_whitespace().next().unwrap_or_default();
    PROGRAMS.contains(&program) && (2..=COMMAND_WORDS_MAX).contains(&words)
}

/// A hint as lines: sentences wrapped, each command whole and on a line of its own, so that it can be copied.
pub(super) fn steps(hint: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for line in lines(hint) {
        let (sentence, command) = match line.rsplit_once(": ") {
            _ if is_command(&line) => ("", line.as_str()),
            Some((before, after)) if is_command(after) => (&line[..=before.len()], after),
            Some(_) | None => (line.as_str(), ""),
        };
        steps.extend(wrap(sentence, 2, 0));
        if !command.is_empty() {
            steps.push(format!("    {command}"));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_invisible_is_escaped_and_what_is_written_stays() {
        assert_eq!(
            plain("a\x1b[31mb\r\nc\u{202e}d\u{200b}e\u{2028}"),
            r"a\u{1b}[31mb\r\nc\u{202e}d\u{200b}e\u{2028}"
        );
        let written = r#"Größe "48" it's C:\x → 鍵"#;
        assert_eq!(plain(written), written);
    }

    #[test]
    fn no_line_is_wider_than_the_mail_and_no_character_is_lost() {
        let long = "x".repeat(200);
        let text = format!("it said {long} and closed");
        let wrapped = wrap(&text, 4, 2);
        assert!(wrapped.iter().all(|line| line.chars().count() <= WIDTH), "{wrapped:#?}");
        let joined: String = wrapped.iter().flat_map(|line| line.split_whitespace()).collect();
        assert_eq!(joined, text.replace(' ', ""));
        assert!(wrapped[0].starts_with("    it") && wrapped[1].starts_with("      x"), "{wrapped:#?}");
    }

    #[test]
    fn a_line_that_fits_exactly_is_not_broken() {
        let text = format!("{} {}", "a".repeat(40), "b".repeat(WIDTH - 41));
        assert_eq!(wrap(&text, 0, 0), [text]);
    }

    #[test]
    fn a_command_stands_whole_on_a_line_of_its_own() {
        let command = format!("keyrelay accept {} 0123456789abcdef", "x".repeat(63));
        assert_eq!(
            steps(&format!(
                "look at it, then let it in: {command}\nsystemctl reload keyrelay\n\nthat is all"
            )),
            [
                "  look at it, then let it in:".into(),
                format!("    {command}"),
                "    systemctl reload keyrelay".into(),
                "  that is all".to_owned()
            ]
        );
    }

    #[test]
    fn a_sentence_about_a_command_stays_a_sentence() {
        let sentence = "nothing, unless you expected it: keyrelay explain shows what was wrong with it";
        assert_eq!(steps(sentence), wrap(sentence, 2, 0));
    }
}
