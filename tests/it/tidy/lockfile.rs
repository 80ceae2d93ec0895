//! What Cargo.toml, Cargo.lock and lib.rs have to say.

/// Crates that must not come in, not even through others.
const REFUSED: [(&str, &str); 8] = [
    ("openssl", "rustls is the one TLS stack"),
    ("openssl-sys", "rustls is the one TLS stack"),
    ("native-tls", "rustls is the one TLS stack"),
    ("aws-lc-rs", "ring is the one crypto provider"),
    ("aws-lc-sys", "ring is the one crypto provider"),
    ("rustls-pemfile", "it comes with an old rustls; rustls-pki-types reads PEM"),
    ("serde_yaml", "it is archived; yaml_serde is kept"),
    ("serde_yml", "it is archived, and unsound"),
];

/// Crates that are too big, or too dangerous in part, to be there twice.
const ONCE: [&str; 7] = ["reqwest", "rustls", "rustls-webpki", "ring", "tokio", "hyper", "mail-parser"];

/// What is wrong with a Cargo.lock.
pub fn findings(lock: &str) -> Vec<String> {
    let names = packages(lock);
    let refused = REFUSED.iter().filter(|(name, _)| names.contains(name));
    let mut findings: Vec<_> = refused.map(|(name, why)| format!("Cargo.lock: {name}: {why}")).collect();
    for name in ONCE {
        let count = names.iter().filter(|other| **other == name).count();
        if count > 1 {
            findings.push(format!("Cargo.lock: {name} is there {count} times; make its users agree on one"));
        }
    }
    findings
}

/// The top modules that lib.rs does not declare, or that its map does not explain.
pub fn unnamed(modules: &[&str], lib: &str) -> Vec<String> {
    let declared = |name: &str| {
        let (all, tests) = (format!("pub mod {name};"), format!("mod {name};"));
        lib.lines().any(|line| line == all || line == tests)
    };
    let explained = |name: &str| {
        // What only tests have is no link.
        let (link, text) = (format!("[`{name}`]"), format!("| `{name}` |"));
        lib.lines().any(|line| line.starts_with("//! |") && (line.contains(&link) || line.contains(&text)))
    };
    let missing = modules.iter().filter(|name| !declared(name) || !explained(name));
    missing
        .map(|name| format!("src/lib.rs: {name} is missing; the map names every place and what it owns"))
        .collect()
}

/// The dependencies of a Cargo.toml, written as Rust writes them.
pub fn libraries(manifest: &str) -> Vec<String> {
    let behind = manifest.split("[dependencies]\n").nth(1).expect("a manifest has dependencies");
    let names =
        behind.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

fn packages(lock: &str) -> Vec<&str> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \""));
    names.map(|name| name.trim_end_matches('"')).collect()
}
