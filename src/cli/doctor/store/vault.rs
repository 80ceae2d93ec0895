//! Vault or OpenBao: the node, the token, each right, how versions are kept, and a check-and-set.

use super::{Keys, documents};
use crate::{
    cli::{
        doctor::{
            Site,
            clock::Dated,
            finding::{Area, Level, Line},
        },
        work,
    },
    config::rights::{DOCTOR, store_rights},
    consumer::Deliver,
    domain::{StoreTrouble, spell_duration},
    store::{
        Fields, Store,
        vault::{Keeping, Node, Settings, Token, Vault},
    },
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// A promotion, a retirement, and one to go back to.
const VERSIONS_MIN: u64 = 3;

/// The rest is tried only while the store answers: one that hangs is waited for once.
pub async fn look(site: &Arc<Site>, settings: &Settings, area: &mut Area) -> (Keys, Option<Dated>) {
    if site.misses("store.vault.") {
        area.add(Line::skipped("login", "its secret is missing: see secrets"));
        return (Keys::none("nobody can log in to the store"), None);
    }
    let store = match Store::open(&site.config.store, &site.limits) {
        Ok(store) => Arc::new(store),
        Err(why) => {
            area.add(Line::new(Level::Mistake, "client", why));
            return (Keys::none("the store cannot be asked"), None);
        }
    };
    let Store::Vault(vault) = &*store else { return (Keys::none("the store is local"), None) };
    let node = match vault.node().await {
        Ok(node) => node,
        Err(trouble) => {
            area.add(Line::store_trouble("reachable and unsealed", &trouble));
            return (Keys::none(trouble.to_string()), None);
        }
    };
    let date = Dated::now("the store", node.date);
    area.add(reachable(&node));
    if settings.nodes.len() > 1 {
        vault
            .nodes()
            .await
            .iter()
            .map(|(address, node)| one_of_several(address, node))
            .for_each(|line| area.add(line));
    }
    match vault.token().await {
        Ok(token) => area.add(login(&token)),
        Err(trouble) => {
            area.add(Line::store_trouble("login", &trouble));
            return (Keys::none(trouble.to_string()), date);
        }
    }
    rights(site, vault, area).await;
    keeping(site, settings, vault, area).await;
    let path = format!("{}/{DOCTOR}", site.config.state_path);
    area.add(documents::own_document(&store, &path, &own_content()).await);
    let keys = documents::look(site, &store, area).await;
    (Keys { store: Some(store), ..keys }, date)
}

/// Different each time, so that what is read back is what was written.
fn own_content() -> Fields {
    let content = json!({"schema": 1, "host": crate::daemon::host_name(), "at": work::now().to_string()});
    Fields::from_json(content).unwrap_or_default()
}

fn reachable(node: &Node) -> Line {
    let role = if node.active { "active" } else { "a standby, which passes requests on" };
    let version = if node.version.is_empty() { "an unknown version" } else { &node.version };
    Line::ok("reachable and unsealed", format!("{}, version {version}, {role}", node.address))
}

/// One that is away costs nothing while another is active; nobody notices until that one fails, too.
fn one_of_several(address: &str, node: &Result<Node, StoreTrouble>) -> Line {
    let tried = format!("node {address}");
    match node {
        Ok(node) if node.active => Line::ok(tried, format!("active, version {}", node.version)),
        Ok(node) => Line::ok(tried, format!("standby, version {}", node.version)),
        Err(trouble) => Line::warning(tried, trouble.to_string())
            .advice("start it, or take it out of store.vault.address"),
    }
}

fn login(token: &Token) -> Line {
    let tried = "login";
    let policies = token.policies.join(", ");
    if token.policies.iter().any(|policy| policy == "root") {
        return Line::warning(tried, "the token is a root token: it may do everything")
            .command("keyrelay policy vault");
    }
    if token.uses_left > 0 {
        let seen = format!("the token dies after {} more uses", token.uses_left);
        return Line::failed(tried, seen).advice("give its role token_num_uses=0");
    }
    match (token.ttl_secs, token.renewable) {
        (0, _) => Line::ok(tried, format!("the token does not end; policies: {policies}")),
        (secs, renewable) => {
            let left = spell_duration(Duration::from_secs(to_the_minute(secs)));
            let more = if renewable { "renewable" } else { "not renewable" };
            Line::ok(tried, format!("the token lives for {left}, {more}; policies: {policies}"))
        }
    }
}

/// The seconds of a long life tell nobody anything.
fn to_the_minute(secs: u64) -> u64 {
    if secs < 120 { secs } else { (secs + 30) / 60 * 60 }
}

async fn rights(site: &Site, vault: &Vault, area: &mut Area) {
    let mut asked = site.config.clone();
    asked.credentials.retain(|name, _| site.only.as_ref().is_none_or(|only| only == name));
    let wanted = store_rights(&asked);
    let paths: Vec<String> = wanted.iter().map(|right| right.path.clone()).collect();
    let granted = match vault.capabilities(&paths).await {
        Ok(granted) => granted,
        Err(trouble) => return area.add(Line::store_trouble("rights", &trouble)),
    };
    let mut missing = Vec::new();
    for right in &wanted {
        let has = |word: &str| may(&granted, &right.path, word);
        let lacking: Vec<&str> = right.capabilities.iter().copied().filter(|word| !has(word)).collect();
        if !lacking.is_empty() {
            let seen = format!("{} is missing ({})", lacking.join(", "), right.why);
            missing.push(Line::failed(format!("rights on {}", right.path), seen));
        }
    }
    if missing.is_empty() {
        area.add(Line::ok("rights", format!("all that is needed, on {} paths", wanted.len())));
    }
    // One policy mends them all.
    for line in missing {
        area.add(line.command("keyrelay policy vault | bao policy write keyrelay -"));
    }
}

fn may(granted: &BTreeMap<String, Vec<String>>, path: &str, word: &str) -> bool {
    granted.get(path).is_some_and(|words| words.iter().any(|had| had == word || had == "root"))
}

/// Mounts first, then the paths that have settings of their own.
async fn keeping(site: &Site, settings: &Settings, vault: &Vault, area: &mut Area) {
    let copies = site.credentials().flat_map(|(_, credential)| credential.consumers.values());
    let copies = copies.filter_map(|consumer| match consumer.deliver.as_ref()? {
        Deliver::Store { mount, .. } => Some(mount.as_str()),
        Deliver::File { .. } | Deliver::Command { .. } => None,
    });
    let mounts: BTreeSet<&str> = copies.chain([settings.mount.as_str()]).collect();
    for mount in mounts {
        let tried = format!("versions kept in {mount}/");
        match vault.mount_keeping(mount).await {
            Err(trouble) => area.add(Line::store_trouble(tried, &trouble)),
            Ok(None) => area.add(
                Line::warning(tried, format!("cannot be told: read on {mount}/config is missing"))
                    .command("keyrelay policy vault | bao policy write keyrelay -"),
            ),
            Ok(Some(keeping)) => {
                // 0 is the server's own default, ten.
                let words = || match keeping.max_versions {
                    0 => "10 of each document, for ever".to_owned(),
                    count => format!("{count} of each document, for ever"),
                };
                let fix = format!("bao write {mount}/config max_versions=10 delete_version_after=0s");
                let wrong = too_few(&keeping);
                area.add(match wrong {
                    Some(why) => Line::failed(tried, why).command(fix),
                    None => Line::ok(tried, words()),
                });
            }
        }
    }
    for (_, credential) in site.credentials() {
        let (mount, path) = (&settings.mount, &credential.path);
        // What is not there, or not to be seen, was told of before.
        let Ok(Some(keeping)) = vault.path_keeping(mount, path).await else { continue };
        if let Some(why) = too_few(&keeping) {
            let fix = format!(
                "bao kv metadata put -mount={mount} -max-versions=10 -delete-version-after=0s {path}"
            );
            area.add(Line::failed(format!("versions kept at {path}"), why).command(fix));
        }
    }
}

/// `None`: enough. 0 means that another setting counts.
fn too_few(keeping: &Keeping) -> Option<String> {
    let Keeping { max_versions, delete_version_after } = keeping;
    if (1..VERSIONS_MIN).contains(max_versions) {
        return Some(format!(
            "max_versions is {max_versions}: a key that still works would be destroyed; {VERSIONS_MIN} are the least"
        ));
    }
    let never = delete_version_after.is_empty()
        || delete_version_after.trim_end_matches(|c| "hms0".contains(c)).is_empty();
    (!never).then(|| {
        format!("delete_version_after is {delete_version_after}: the current key itself would be deleted")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(max_versions: u64, after: &str) -> Option<String> {
        too_few(&Keeping { max_versions, delete_version_after: after.into() })
    }

    #[test]
    fn three_versions_are_the_least_and_none_may_be_deleted_by_its_age() {
        for (count, after) in [(0, "0s"), (3, ""), (10, "0h0m0s")] {
            assert_eq!(kept(count, after), None, "{count} {after}");
        }
        let few = "max_versions is 2: a key that still works would be destroyed; 3 are the least";
        assert_eq!(kept(2, "0s").as_deref(), Some(few));
        for after in ["10s", "768h0m0s", "0h10m0s"] {
            let told = format!("delete_version_after is {after}: the current key itself would be deleted");
            assert_eq!(kept(10, after), Some(told));
        }
    }

    #[test]
    fn a_token_that_dies_of_its_uses_or_may_do_everything_is_told() {
        let token =
            Token { ttl_secs: 3_599, renewable: true, policies: vec!["keyrelay".into()], uses_left: 0 };
        assert_eq!(
            login(&token),
            Line::ok("login", "the token lives for 1 h, renewable; policies: keyrelay")
        );
        assert_eq!(login(&Token { uses_left: 5, ..token.clone() }).level, Level::Failed);
        let root = Token { ttl_secs: 0, policies: vec!["root".into()], ..token.clone() };
        assert_eq!(login(&root).level, Level::Warning);
        let endless = Token { ttl_secs: 0, ..token };
        assert_eq!(login(&endless), Line::ok("login", "the token does not end; policies: keyrelay"));
    }
}
