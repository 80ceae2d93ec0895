//! Which files a unit reads when it is started. Pure: the same whether systemd says it or a unit file does.

use std::path::Path;

/// Where a bare name in `LoadCredential=` is looked for (systemd.exec(5)).
const CREDENTIAL_STORES: [&str; 4] =
    ["/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"];

/// What its `EnvironmentFile=` and `LoadCredential=` name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Paths, which may hold wildcards.
    pub environment: Vec<String>,
    /// Files, folders of files, or bare names.
    pub credentials: Vec<String>,
}

/// How a unit reads a file at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    Environment,
    Credential,
}

impl ReadAs {
    /// The setting that names the file.
    pub fn setting(self) -> &'static str {
        match self {
            ReadAs::Environment => "EnvironmentFile=",
            ReadAs::Credential => "LoadCredential=",
        }
    }
}

impl Reads {
    /// How the unit reads this file at its start; `None`: it does not.
    pub fn file(&self, file: &Path) -> Option<ReadAs> {
        if self.environment.iter().any(|pattern| fits(pattern, file)) {
            return Some(ReadAs::Environment);
        }
        self.credentials.iter().any(|source| holds(source, file)).then_some(ReadAs::Credential)
    }
}

fn holds(source: &str, file: &Path) -> bool {
    match source.starts_with('/') {
        true => Path::new(source) == file || file.parent() == Some(Path::new(source)),
        false => CREDENTIAL_STORES.iter().any(|store| Path::new(store).join(source) == file),
    }
}

/// As glob(7) does, part by part; a class (`[a-z]`) is not understood, and fits nothing.
fn fits(pattern: &str, file: &Path) -> bool {
    let (pattern, file): (Vec<_>, Vec<_>) =
        (Path::new(pattern).iter().collect(), Path::new(file).iter().collect());
    pattern.len() == file.len()
        && pattern.iter().zip(file).all(|(pattern, part)| match (pattern.to_str(), part.to_str()) {
            (Some(pattern), Some(part)) => part_fits(pattern.as_bytes(), part.as_bytes()),
            (None, _) | (_, None) => pattern == &part,
        })
}

fn part_fits(pattern: &[u8], part: &[u8]) -> bool {
    match (pattern, part) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            part_fits(rest, part) || part.split_first().is_some_and(|(_, tail)| part_fits(pattern, tail))
        }
        ([b'?', pattern @ ..], [_, part @ ..]) => part_fits(pattern, part),
        ([wanted, pattern @ ..], [found, part @ ..]) => wanted == found && part_fits(pattern, part),
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(environment: &[&str], credentials: &[&str]) -> Reads {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Reads { environment: texts(environment), credentials: texts(credentials) }
    }

    #[test]
    fn a_file_is_read_as_environment_where_a_path_or_a_wildcard_names_it() {
        let of = |pattern: &str, file: &str| reads(&[pattern], &[]).file(Path::new(file));
        for (pattern, file) in [
            ("/etc/bot/key.env", "/etc/bot/key.env"),
            ("/etc/bot//key.env", "/etc/bot/key.env"),
            ("/etc/bot/*.env", "/etc/bot/key.env"),
            ("/etc/*/key.env", "/etc/bot/key.env"),
            ("/etc/bot/k?y.*", "/etc/bot/key.env"),
        ] {
            assert_eq!(of(pattern, file), Some(ReadAs::Environment), "{pattern}");
        }
        for (pattern, file) in [
            ("/etc/bot/key.env", "/etc/bot/key.env2"),
            ("/etc/bot/*.env", "/etc/bot/sub/key.env"),
            ("/etc/bot/*.env", "/etc/bot/key.conf"),
            ("/etc/bot", "/etc/bot/key.env"),
            ("", "/etc/bot/key.env"),
        ] {
            assert_eq!(of(pattern, file), None, "{pattern}");
        }
    }

    #[test]
    fn a_file_is_read_as_a_credential_by_its_path_its_folder_or_its_name_in_a_credential_store() {
        let of = |source: &str, file: &str| reads(&[], &[source]).file(Path::new(file));
        for (source, file) in [
            ("/etc/bot/key", "/etc/bot/key"),
            ("/etc/bot", "/etc/bot/key"),
            ("key", "/etc/credstore/key"),
            ("key", "/run/credstore/key"),
        ] {
            assert_eq!(of(source, file), Some(ReadAs::Credential), "{source}");
        }
        for (source, file) in
            [("/etc", "/etc/bot/key"), ("key", "/etc/bot/key"), ("/etc/bot/*", "/etc/bot/key")]
        {
            assert_eq!(of(source, file), None, "{source}");
        }
    }
}
