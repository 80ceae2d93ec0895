//! What the mailbox's own server found out about a mail when it took it in (`Authentication-Results`, RFC 8601), as
//! far as it speaks against the mail. It may hold a mail back and never lets one in: whoever can put a mail into the
//! mailbox can write such a field too (by IMAP, with `APPEND`), so what it says for a mail counts for nothing.
//!
//! Only fields count that bear an id which the operator has pinned. Every further field can but add to what speaks
//! against the mail: none takes back what another one says.

mod field;

use super::parse::{Entity, Field};
use crate::domain::is_host_name;
use field::{Found, Results};

/// RFC 8601 §2.7.1; the second word is of an older standard (RFC 5451), and Cisco's gateways still write it.
const DKIM_FAILS: [&str; 2] = ["fail", "hardfail"];

/// What the mailbox's own server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// No field with a pinned id, or none where that server puts its own.
    Nothing,
    /// The id of the field that says nothing against the mail.
    NothingAgainst(String),
    /// A sentence that completes "the mail is held: ".
    Against(String),
}

/// `ids` are those that the mailbox's own server uses, lower case; `domains` those whose signature counts; `from` is
/// the address in `From`.
pub fn word(mail: &Entity<'_>, ids: &[String], domains: &[String], from: &str) -> Word {
    let own: Vec<(usize, Results)> =
        mail.fields.iter().enumerate().filter_map(|(at, field)| Some((at, own(field, ids)?))).collect();
    let (Some((first, top)), Some((last, _))) = (own.first(), own.last()) else { return Word::Nothing };
    if mail.fields[*first..*last].iter().any(is_from_elsewhere) {
        let why = "that server does not take out what others write in its name";
        return Word::Against(format!(
            "it bears results of {} from more than one stop on its way: {why}",
            top.id
        ));
    }
    // A signature is put on top of what is there: what stands below one was not written by the last server.
    if mail.fields[..*first].iter().any(is_signature) {
        return Word::Nothing;
    }
    let against = own.iter().find_map(|(_, results)| against(results, domains, from));
    against.map_or_else(|| Word::NothingAgainst(top.id.clone()), Word::Against)
}

/// The field, where it is one of the mailbox's own server, in a version that is known.
fn own(field: &Field<'_>, ids: &[String]) -> Option<Results> {
    if !field.name.eq_ignore_ascii_case("Authentication-Results") {
        return None;
    }
    Results::read(&field.unfolded().ok()?).filter(|results| ids.contains(&results.id))
}

/// Between two fields that one server wrote there is neither another stop on the way nor the sender's signature.
fn is_from_elsewhere(field: &Field<'_>) -> bool {
    field.name.eq_ignore_ascii_case("Received") || is_signature(field)
}

fn is_signature(field: &Field<'_>) -> bool {
    field.name.eq_ignore_ascii_case("DKIM-Signature")
}

fn against(results: &Results, domains: &[String], from: &str) -> Option<String> {
    let id = &results.id;
    let is_false = |domain: &&String| {
        let signed = |words: &[&str]| {
            results.of("dkim").any(|found| words.contains(&&*found.result) && signs(found, domain))
        };
        // A domain may sign twice, the second time in a way that the server does not know.
        signed(&DKIM_FAILS) && !signed(&["pass"])
    };
    if let Some(domain) = domains.iter().find(is_false) {
        return Some(format!("{id} says that the signature of {domain} does not hold (dkim=fail)"));
    }
    let from_domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    results.of("dmarc").find_map(|found| match found.domain("header.from") {
        Some(seen) if is_host_name(&seen) && !is_at_or_below(from_domain, &seen) => {
            Some(format!("{id} saw another From than the one that is there (dmarc)"))
        }
        Some(_) | None if found.result == "fail" => {
            Some(format!("{id} says that its From is not proven (dmarc=fail)"))
        }
        Some(_) | None => None,
    })
}

/// Without a domain nobody knows whose signature is meant. `i=` may be of a domain below the signing one.
fn signs(found: &Found, domain: &str) -> bool {
    match (found.domain("header.d"), found.domain("header.i")) {
        (Some(signer), _) => signer == domain,
        (None, Some(identity)) => is_at_or_below(&identity, domain),
        (None, None) => false,
    }
}

/// Some servers name the domain that published the policy, which `From` may be below of.
fn is_at_or_below(domain: &str, above: &str) -> bool {
    domain.strip_suffix(above).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

#[cfg(test)]
mod tests;
