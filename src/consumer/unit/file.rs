//! What the text of a unit file and of its drop-ins says, as far as a key is concerned (systemd.unit(5),
//! systemd.service(5)). Pure: it opens nothing.

use super::{name::UnitName, reads::Reads};

/// A service as its files describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFile {
    pub reads: Reads,
    /// It runs to its end, and is inactive afterwards.
    pub is_job: bool,
    /// There is a way to reload it.
    pub reloads: bool,
    kind: String,
    remains: bool,
}

impl UnitFile {
    /// Lays one file over what was read before; an empty value takes a list back.
    pub fn lay(&mut self, text: &str, name: &UnitName) {
        for (section, key, value) in assignments(text) {
            if section != "Service" {
                continue;
            }
            let list = match key.as_str() {
                "EnvironmentFile" => &mut self.reads.environment,
                "LoadCredential" => &mut self.reads.credentials,
                "Type" => {
                    self.kind = value;
                    continue;
                }
                "RemainAfterExit" => {
                    self.remains = ["1", "yes", "y", "true", "t", "on"].contains(&value.as_str());
                    continue;
                }
                "ExecReload" => {
                    self.reloads = !value.is_empty();
                    continue;
                }
                _ => continue,
            };
            match value.as_str() {
                "" => list.clear(),
                value => list.extend(source(&key, value).and_then(|source| resolve(source, name))),
            }
        }
        self.is_job = self.kind == "oneshot" && !self.remains;
        self.reloads |= self.kind == "notify-reload";
    }
}

/// The path in a value; a `-` before it says that the file may be missing, `ID:` names the credential.
fn source<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    match key {
        "LoadCredential" => match value.split_once(':') {
            Some((_, path)) => Some(path),
            None => Some(value),
        },
        _ => Some(value.strip_prefix('-').unwrap_or(value)),
    }
}

/// Every assignment with its section, in order. A line that ends with a backslash goes on in the next; comments
/// may stand between the two.
fn assignments(text: &str) -> Vec<(String, String, String)> {
    let (mut section, mut whole, mut found) = (String::new(), String::new(), Vec::new());
    for line in text.lines().chain([""]) {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(begun) = line.strip_suffix('\\') {
            whole += begun;
            whole.push(' ');
            continue;
        }
        let line = std::mem::take(&mut whole) + line;
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            found.push((section.clone(), key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    found
}

/// Puts in what the specifiers stand for. `None`: one that only a running system knows.
fn resolve(text: &str, name: &UnitName) -> Option<String> {
    let (prefix, instance) = name.parts();
    let (mut parts, mut resolved) = (text.split('%'), String::new());
    resolved += parts.next()?;
    while let Some(part) = parts.next() {
        let Some(specifier) = part.chars().next() else {
            // Two of them stand for one.
            resolved.push('%');
            resolved += parts.next()?;
            continue;
        };
        match specifier {
            'n' => resolved += name.as_str(),
            'N' => resolved += name.stem(),
            'p' => resolved += prefix,
            'P' => resolved += &unescape(prefix),
            'i' => resolved += instance.unwrap_or(""),
            'I' => resolved += &unescape(instance.unwrap_or("")),
            'j' => resolved += prefix.rsplit('-').next()?,
            'E' => resolved += "/etc",
            'S' => resolved += "/var/lib",
            'C' => resolved += "/var/cache",
            'L' => resolved += "/var/log",
            't' => resolved += "/run",
            _ => return None,
        }
        resolved += part.get(specifier.len_utf8()..)?;
    }
    Some(resolved)
}

/// Undoes systemd's escaping: `-` stands for `/`, `\x2d` for a byte.
fn unescape(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = match tail {
            [b'x', high, low, ..] if *first == b'\\' => {
                std::str::from_utf8(&[*high, *low]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(hex.unwrap_or(if *first == b'-' { b'/' } else { *first }));
        rest = if hex.is_some() { &tail[3..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> UnitFile {
        read_as("worker@a-b.service", texts)
    }
    fn read_as(name: &str, texts: &[&str]) -> UnitFile {
        let mut file = UnitFile::default();
        texts.iter().for_each(|text| file.lay(text, &name.parse().unwrap()));
        file
    }

    #[test]
    fn what_a_service_reads_at_its_start_is_found_in_its_file() {
        let text = "
            # EnvironmentFile=/etc/no
            [Unit]
            EnvironmentFile=/etc/not-here
            [Service]
            ; LoadCredential=no
            EnvironmentFile = /etc/bot/key.env
            EnvironmentFile=-/etc/bot/*.opt
            LoadCredential=key:/etc/bot/key
            LoadCredential=bare
            ExecStart=/usr/bin/bot \\
              # a comment in between
              EnvironmentFile=/etc/argument
            [Install]
            EnvironmentFile=/etc/not-here-either
        ";
        let reads = read(&[text]).reads;
        assert_eq!(reads.environment, ["/etc/bot/key.env", "/etc/bot/*.opt"]);
        assert_eq!(reads.credentials, ["/etc/bot/key", "bare"]);
    }

    #[test]
    fn a_value_may_go_on_in_the_next_line() {
        let reads = read(&["[Service]\nEnvironmentFile=\\\n# why\n  /etc/bot/key.env\n"]).reads;
        assert_eq!(reads.environment, ["/etc/bot/key.env"]);
    }

    #[test]
    fn a_drop_in_adds_and_an_empty_value_takes_back() {
        let base = "[Service]\nEnvironmentFile=/a\nLoadCredential=x:/x";
        assert_eq!(read(&[base, "[Service]\nEnvironmentFile=/b"]).reads.environment, ["/a", "/b"]);
        let reads = read(&[base, "[Service]\nEnvironmentFile=\nEnvironmentFile=/b\nLoadCredential="]).reads;
        assert_eq!((reads.environment, reads.credentials.len()), (vec!["/b".to_owned()], 0));
    }

    #[test]
    fn specifiers_are_put_in_and_an_unknown_one_names_nothing() {
        let path = |path: &str| read(&[&format!("[Service]\nEnvironmentFile={path}")]).reads.environment;
        for (written, resolved) in [
            ("%E/%p/%i.env", "/etc/worker/a-b.env"),
            ("/etc/%n/%N", "/etc/worker@a-b.service/worker@a-b"),
            ("/etc/%I", "/etc/a/b"),
            ("%S/100%%/%j", "/var/lib/100%/worker"),
            ("%t/k%%", "/run/k%"),
        ] {
            assert_eq!(path(written), [resolved], "{written}");
        }
        assert_eq!(path("/etc/%m/key"), [""; 0]);
        assert_eq!(path("/etc/%"), ["/etc/%"; 0]);
        let escaped = read_as(r"a@b\x2dc-d.service", &["[Service]\nEnvironmentFile=/etc/%I"]);
        assert_eq!(escaped.reads.environment, ["/etc/b-c/d"]);
    }

    #[test]
    fn a_job_ends_by_itself_and_some_services_can_be_reloaded() {
        let file = |text: &str| read(&["[Service]\nType=simple\n", &format!("[Service]\n{text}")]);
        assert!(file("Type=oneshot").is_job);
        assert!(!file("Type=oneshot\nRemainAfterExit=yes").is_job);
        assert!(!file("").is_job);
        assert!(file("ExecReload=/bin/kill -HUP $MAINPID").reloads);
        assert!(file("Type=notify-reload").reloads);
        assert!(!file("").reloads);
    }
}
