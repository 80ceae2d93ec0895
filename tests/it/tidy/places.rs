//! The table of who may import what, and what must stand nowhere; each row with its reason.

/// A part of the tree. The longest path that fits a file is its place.
pub struct Place {
    /// Module paths below the crate: `mail::imap`.
    pub paths: &'static [&'static str],
    /// Places that it may import, besides itself and what is below it.
    pub may_import: &'static [&'static str],
    /// Parts of those that it may not.
    pub but_not: &'static [&'static str],
    /// The only libraries it may use; `None`: any that no rule forbids.
    pub libraries: Option<&'static [&'static str]>,
    /// Words, and paths (`std::fs`), that must not occur outside of tests.
    pub never: &'static [&'static [&'static str]],
    pub why: &'static str,
}

// `x::` is a library, `x::y` a path and what is below it, `x` a word.
const NETWORK: &[&str] = &[
    "std::net",
    "tokio::",
    "reqwest::",
    "axum::",
    "lettre::",
    "imap::",
    "vaultrs::",
    "rustify::",
    "rustls::",
    "mail_auth::hickory_resolver",
];
const CLOCK: &[&str] = &["Instant", "std::time::SystemTime::now", "chrono::Utc::now", "chrono::Local"];
const ASYNC: &[&str] = &["async", "await"];
/// Whoever tries again on his own hides from the core what went wrong, and from the operator for how long.
const PATIENCE: &[&str] = &["sleep", "sleep_until", "tokio::time::interval", "retries", "backoff"];
const ADAPTER: &str = "an adapter does one thing when it is told to, and says what came of it: \
    it knows no rotation and no other adapter, and retry is the core's decision";
const PURE: &str = "it must say the same of the same input, at any time and on any machine";
const MAIL_ADAPTERS: &[&str] = &["mail::imap", "mail::maildir", "mail::dns", "mail::token"];
const EVERYTHING_BUT_FRONTS: &[&str] = &[
    "domain", "rotation", "vendor", "mail", "ask", "probe", "rotate", "store", "spool", "at_rest",
    "consumer", "alert", "config", "face", "tls", "http", "leaf7",
];

const fn adapter(
    paths: &'static [&'static str],
    may_import: &'static [&'static str],
    but_not: &'static [&'static str],
) -> Place {
    Place { paths, may_import, but_not, libraries: None, never: &[PATIENCE, &["figment::"]], why: ADAPTER }
}

const fn pure(
    paths: &'static [&'static str],
    may_import: &'static [&'static str],
    but_not: &'static [&'static str],
) -> Place {
    Place { paths, may_import, but_not, libraries: None, never: &[NETWORK, CLOCK, ASYNC], why: PURE }
}

const fn shell(
    path: &'static [&'static str],
    may_import: &'static [&'static str],
    why: &'static str,
) -> Place {
    Place { paths: path, may_import, but_not: &[], libraries: None, never: &[], why }
}

pub const PLACES: &[Place] = &[
    Place {
        paths: &["domain"],
        may_import: &[],
        but_not: &[],
        libraries: Some(&["std", "serde", "zeroize", "sha2", "subtle", "ulid", "chrono", "thiserror"]),
        never: &[NETWORK, CLOCK, ASYNC, &["std::fs", "std::env", "std::thread"]],
        why: "the vocabulary: everybody imports it, so it imports nobody, and it is told what time it is",
    },
    Place {
        paths: &["rotation"],
        may_import: &["domain"],
        but_not: &[],
        libraries: Some(&["std", "serde", "serde_json", "thiserror"]),
        never: &[
            &[
                "std::fs",
                "std::net",
                "std::env",
                "std::thread",
                "std::process",
                "std::io",
                "Instant",
                "SystemTime",
            ],
            &[
                "async",
                "await",
                "tokio::",
                "tracing::",
                "rand::",
                "getrandom::",
                "HashMap",
                "HashSet",
                "Key",
                "Secret",
                "unwrap",
            ],
        ],
        why: "the core decides the same again in every replay: no clock, no chance, no I/O; \
            and it holds fingerprints, so that every state can be printed",
    },
    pure(&["vendor"], &["domain", "mail"], MAIL_ADAPTERS),
    pure(&["sim"], &["domain", "rotation", "alert"], &["alert::smtp", "alert::web"]),
    pure(&["mail"], &["domain"], MAIL_ADAPTERS),
    adapter(
        &["mail::imap"],
        &["domain", "mail", "tls"],
        &["mail::maildir", "mail::dns", "mail::token", "mail::authenticity"],
    ),
    adapter(&["mail::maildir"], &["domain", "mail"], &["mail::imap", "mail::dns", "mail::authenticity"]),
    adapter(&["mail::mailbox"], &["domain", "mail", "tls"], &["mail::dns", "mail::authenticity"]),
    adapter(&["mail::waker"], &["domain"], &[]),
    adapter(&["mail::dns"], &["domain", "mail"], &["mail::imap", "mail::maildir"]),
    adapter(
        &["mail::token"],
        &["domain", "mail", "http"],
        &["mail::imap", "mail::maildir", "mail::dns", "mail::authenticity"],
    ),
    adapter(
        &["probe"],
        &["domain", "vendor::profile", "vendor::Profile", "vendor::classify", "tls", "http", "ask"],
        &[],
    ),
    adapter(&["ask"], &["domain", "vendor::profile", "vendor::Profile", "http"], &[]),
    adapter(&["rotate"], &["domain", "vendor::profile", "vendor::Profile", "ask"], &[]),
    // All speak to vendors: what went wrong on the way is said once, in the same words.
    adapter(&["leaf7"], &["domain", "vendor::Profile", "ask"], &[]),
    adapter(&["store"], &["domain"], &[]),
    pure(&["store::layout", "store::fields"], &["domain", "store"], &["store::vault", "store::local"]),
    adapter(&["store::vault"], &["domain", "store", "tls", "at_rest", "http"], &["store::local"]),
    adapter(&["store::local"], &["domain", "store", "at_rest"], &["store::vault"]),
    adapter(&["spool"], &["domain", "at_rest"], &[]),
    adapter(&["at_rest"], &["domain"], &[]),
    adapter(&["consumer"], &["domain", "tls", "http"], &[]),
    pure(&["alert"], &["domain"], &[]),
    adapter(&["alert::smtp"], &["domain", "alert", "tls"], &["alert::web"]),
    adapter(&["alert::web"], &["domain", "http"], &[]),
    Place {
        paths: &["tls"],
        may_import: &["domain"],
        but_not: &[],
        libraries: Some(&["std", "rustls", "rustls_pki_types", "rustls_platform_verifier", "thiserror"]),
        never: &[CLOCK, ASYNC, PATIENCE],
        why: "the one place that decides whom TLS trusts; it opens no connection",
    },
    Place {
        paths: &["http"],
        may_import: &[],
        but_not: &[],
        libraries: Some(&["std", "reqwest"]),
        never: &[CLOCK, ASYNC, PATIENCE],
        why: "the one place that makes HTTP clients; it sends nothing",
    },
    Place {
        paths: &["hardening"],
        may_import: &[],
        but_not: &[],
        libraries: Some(&["std", "rustix"]),
        never: &[NETWORK, CLOCK, ASYNC],
        why: "it runs before everything else, and so needs nothing else",
    },
    Place {
        paths: &["config"],
        may_import: &[
            "domain", "mail", "store", "spool", "consumer", "alert", "vendor", "probe", "daemon", "tls",
            "at_rest",
        ],
        but_not: &[],
        libraries: None,
        never: &[
            &["tokio::", "reqwest::", "axum::", "lettre::", "imap::", "vaultrs::", "rustls::"],
            &["TcpStream", "TcpListener", "UdpSocket"],
            ASYNC,
            CLOCK,
        ],
        why: "configuration is read and checked; configuration that acts surprises whoever checks it",
    },
    Place {
        paths: &["face"],
        may_import: &["domain", "rotation"],
        but_not: &[],
        libraries: None,
        never: &[NETWORK, CLOCK, ASYNC],
        why: "status is computed from the core's states at a moment it is told; it asks nobody",
    },
    shell(
        &["daemon"],
        EVERYTHING_BUT_FRONTS,
        "the shell serves the commands and knows of none, nor of the demo",
    ),
    shell(&["cli"], &["*"], "the commands are where everything meets a person: they may use all of it"),
    shell(&["demo"], &["*"], "the demo is the whole program beside a simulated world: it may use all of it"),
    shell(&["main"], &["cli"], "main parses the command line and dispatches; nothing else"),
];

/// Not said outside of tests, each with what to do in its place.
pub const NOT_IN_PRODUCTION: &[(&[&str], &str)] =
    &[(&[".", "unwrap", "("], "say with expect() why it cannot fail, or return the error")];

/// Said nowhere, each with what to do in its place.
pub const NOWHERE: &[(&[&str], &str)] = &[
    (&["todo", "!"], "what is not built is left out"),
    (&["unimplemented", "!"], "what is not built is left out"),
    (&["dbg", "!"], "it prints secrets; use tracing and a redacted type"),
    (&["#", "[", "ignore"], "a test that does not run is no test"),
    (&["#", "[", "allow"], "mend what the lint says"),
    (&["#", "!", "[", "allow"], "mend what the lint says"),
];

/// What is done in one place, which therefore is right for all: below this folder, what, where, and what to do elsewhere.
pub const IN_ONE_PLACE: &[(&str, &str, &str, &str)] = &[
    ("src/", "reqwest::Client::builder", "src/http.rs", HTTP),
    ("src/", "reqwest::Client::new", "src/http.rs", HTTP),
    ("src/", "reqwest::ClientBuilder::new", "src/http.rs", HTTP),
    ("src/", "reqwest::get", "src/http.rs", HTTP),
    ("tests/", "simulator::start", "tests/it/world/secrets.rs", VENDOR),
];
const HTTP: &str =
    "make the client with crate::http::client(), which no redirect and no variable leads elsewhere";
const VENDOR: &str =
    "start it with world::secrets::vendor, so that its keys are looked for where no key may be";

/// Said in no comment either.
pub const NO_NOTES_TO_SELF: &[&str] = &["TODO", "FIXME", "XXX"];

/// Who sleeps is too late or too early. In a test only functions of these names say so: one looks until a deadline,
/// the other makes a network late or a kill random, where passing time is the experiment itself.
pub const SLEEPS: &[&str] = &["std::thread::sleep", "tokio::time::sleep"];
pub const SLEEPERS: &[&str] = &["until", "moment"];
/// The shell waits for the core's next deadline, beside everything else; the demo's vendor rotates by the clock.
pub const HAVE_TIMERS: &[(&str, &str)] = &[("daemon", "tokio::time::sleep"), ("demo", "tokio::time::sleep")];

/// The only modules with code that the compiler cannot answer for: both make one system call, and neither sees a byte
/// that came from outside. A bench counts what the allocator gives out; it is no part of the program.
pub const UNSAFE: &[&str] = &["consumer::run", "cli::doctor::service", "daemon::memory", "benches::mails"];
