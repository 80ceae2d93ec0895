//! `credentials`: one key each, where it lives, and who works with it.

use super::{
    Need,
    claims::{self, Layout},
    consumer,
    mistake::{Severity, any_of},
    read::{Sheet, Table, UNKNOWN_KEY, known_name},
    rotating::{Rotating, rotating},
    store::Store,
    values::{address, duration, field, flag, is_address, store_path, text},
};
use crate::{
    consumer::Settings,
    domain::{Account, ConsumerName, CredentialName, MailboxName, RotatedBy, VendorName, write_duration},
    mail::MailboxSettings,
    vendor::Profile,
};
use std::{collections::BTreeMap, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// The document's member that holds the key, unless told otherwise.
const FIELD: &str = "api_key";

/// One slot: a vendor account's key, its path in the store, its consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub vendor: VendorName,
    /// Where the vendor's mails arrive; set wherever the vendor mails its keys.
    pub mailbox: Option<MailboxName>,
    /// The addresses that the vendor writes to, lower case; not empty where there is a mailbox.
    pub recipients: Vec<String>,
    /// The vendor's identity that every key must have.
    pub account: Option<Account>,
    pub rotating: Rotating,
    pub path: String,
    /// The document's member that holds the key.
    pub field: String,
    /// How long the consumers may take after a promotion.
    pub hand_over_within: Duration,
    /// Only watch, verify, probe and tell.
    pub observe: bool,
    pub consumers: BTreeMap<ConsumerName, Settings>,
}

/// What a credential may refer to. A value that is `None` has a mistake of its own.
pub(super) struct World<'a> {
    pub store: Option<&'a Store>,
    pub mailboxes: &'a BTreeMap<MailboxName, Option<MailboxSettings>>,
    pub vendors: &'a BTreeMap<VendorName, Option<Profile>>,
    /// What holds for those that do not say it themselves.
    pub observe: bool,
    /// There are two daemons.
    pub standby: bool,
}

/// All credentials, each over `defaults`.
pub(super) fn credentials(root: &mut Table, world: &World) -> BTreeMap<CredentialName, Option<Credential>> {
    let credentials =
        root.each_over("credentials", "defaults", |_: &CredentialName, table| credential(table, world));
    root.need("credentials", |item| match item.value().as_dict() {
        Some(none) if none.is_empty() => item.refuse::<()>("there is no credential to look after"),
        _ => None,
    });
    note_wrong_defaults(root, world);
    credentials
}

/// What is wrong with `defaults` is told though no credential takes it from there: they are read as if they were a
/// credential. A consumer in them may be completed by each credential, so of it only unknown keys are told.
fn note_wrong_defaults(root: &mut Table, world: &World) {
    let alone = Sheet::new(root.sheet.source, root.sheet.environment, Need::Check, Vec::new());
    Table::root(&alone).named("defaults", "name", |table| credential(table, world));
    for mistake in alone.finish().0 {
        let is_whole = root.sheet.source.is_written(&mistake.key) && mistake.key.split('.').count() <= 2;
        let is_wrong = is_whole && mistake.severity == Severity::Error && mistake.key != "defaults.consumers";
        if mistake.rule == UNKNOWN_KEY || (is_wrong && !root.sheet.has_noted(&mistake.key)) {
            root.sheet.note(Severity::Error, &mistake.key, mistake.rule, mistake.hint);
        }
    }
}

fn credential(table: &mut Table, world: &World) -> Option<Credential> {
    let vendors = world.vendors.keys().cloned().collect();
    let vendor = table.need("vendor", |item| known_name(item, "vendor", &vendors));
    let profile = vendor.as_ref().and_then(|vendor| world.vendors.get(vendor)).and_then(Option::as_ref);
    let mailbox = mailbox(table, world, vendor.as_ref(), profile);
    let recipients = recipients(table, world, mailbox.as_ref());
    let account = table.get("account", |item| {
        let ids = item.one_or_list(text)?;
        if ids.is_empty() { item.refuse("the list is empty") } else { Some(ids.into_iter().collect()) }
    });
    let rotating = rotating(table, profile);
    let path = table.need("path", store_path);
    if let (Some(path), Some(store)) = (&path, world.store) {
        let layout = Layout { mount: store.mount(), state_path: &store.state_path };
        claims::claim_store_path(table.sheet, &layout, store.mount(), path, &table.at("path"));
    }
    let field = table.get("field", field).unwrap_or_else(|| FIELD.into());
    table.default("field", FIELD);
    let has_grace =
        profile.is_none_or(|profile| profile.grace.is_some() || profile.rotation.by == RotatedBy::Operator);
    let default_within = if has_grace { DAY } else { HOUR };
    let within = table.get("hand_over_within", duration).unwrap_or(default_within);
    table.default("hand_over_within", write_duration(default_within));
    let observe = table.get("observe", flag).unwrap_or(world.observe);
    table.default("observe", world.observe);
    let owner = consumer::Owner { store: world.store, field: &field, standby: world.standby };
    let consumers = table.each("consumers", |_: &ConsumerName, table| consumer::consumer(table, &owner));
    if consumers.is_empty() {
        let rule = "there is no consumer: nobody is shown to work with a new key";
        table.sheet.note(
            Severity::Warning,
            &table.at("consumers"),
            rule,
            Some("add those who use the key".into()),
        );
    }
    Some(Credential {
        vendor: vendor?,
        mailbox: mailbox?,
        recipients: recipients?,
        account,
        rotating: rotating?,
        path: path?,
        field,
        hand_over_within: within,
        observe,
        consumers: super::all(consumers)?,
    })
}

/// `Some(None)`: the vendor mails no keys, and no mailbox is named.
fn mailbox(
    table: &mut Table,
    world: &World,
    vendor: Option<&VendorName>,
    profile: Option<&Profile>,
) -> Option<Option<MailboxName>> {
    if table.has("mailbox") {
        let names = world.mailboxes.keys().cloned().collect();
        return table.get("mailbox", |item| known_name(item, "mailbox", &names)).map(Some);
    }
    // Only what can mail a key is listened to.
    if profile.is_none_or(|profile| profile.mail.is_none()) {
        return Some(None);
    }
    let names: Vec<_> = world.mailboxes.keys().collect();
    if let [only] = names[..] {
        table.default("mailbox", only.as_str());
        return Some(Some(only.clone()));
    }
    let vendor = vendor.map_or("", VendorName::as_str);
    let (rule, hint) = match &names[..] {
        [] => (
            format!("{vendor} mails its new keys, and there is no mailbox"),
            "add one under mailboxes".to_owned(),
        ),
        [..] => {
            let names = any_of(names.iter().map(|name| name.as_str()));
            ("this key is missing: there are several mailboxes".to_owned(), format!("write {names}"))
        }
    };
    table.sheet.note(Severity::Error, &table.at("mailbox"), rule, Some(hint));
    None
}

/// The addresses that a genuine mail may be written to: by default the mailbox's user.
fn recipients(
    table: &mut Table,
    world: &World,
    mailbox: Option<&Option<MailboxName>>,
) -> Option<Vec<String>> {
    if table.has("recipient") {
        return table.get("recipient", |item| {
            let addresses = item.one_or_list(address)?;
            if addresses.is_empty() {
                return item.refuse("the list is empty");
            }
            Some(addresses.into_iter().map(|address| address.to_lowercase()).collect())
        });
    }
    let Some(name) = mailbox?.as_ref() else { return Some(Vec::new()) };
    let rule = match world.mailboxes.get(name)?.as_ref()? {
        MailboxSettings::Imap(imap) if is_address(&imap.user) => {
            let recipients = vec![imap.user.to_lowercase()];
            table.default("recipient", recipients.clone());
            return Some(recipients);
        }
        MailboxSettings::Imap(_) => {
            format!("this key is missing: the user of mailbox \"{name}\" is no mail address")
        }
        MailboxSettings::Maildir(_) => {
            format!("this key is missing: mailbox \"{name}\" is a maildir and has no user")
        }
    };
    let hint = "write the address that the vendor's mails are sent to".to_owned();
    table.sheet.note(Severity::Error, &table.at("recipient"), rule, Some(hint));
    None
}
