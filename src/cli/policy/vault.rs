//! The store's policies, as HCL. Pure.

use crate::{
    config::{Config, rights::Right},
    domain::ConsumerName,
    store,
};

/// For keyrelay itself.
pub(super) fn daemon(config: &Config, rights: &[Right]) -> String {
    let header = format!("The least that keyrelay needs of the store, by {}.", config.source.display());
    let local = "The local store is keyrelay's alone: it needs no policy.";
    policy(config, "keyrelay", &header, local, rights)
}

/// For a consumer's own login.
pub(super) fn consumer(config: &Config, name: &ConsumerName, rights: &[Right]) -> String {
    let header =
        format!("The least that the consumer {name} needs of the store, by {}.", config.source.display());
    let nothing = format!("The consumer {name} is handed its key: of the store it needs nothing.");
    policy(config, &format!("keyrelay-{name}"), &header, &nothing, rights)
}

fn policy(config: &Config, name: &str, header: &str, nothing: &str, rights: &[Right]) -> String {
    let store::Settings::Vault(vault) = &config.store else { return format!("# {nothing}\n") };
    if rights.is_empty() {
        return format!("# {nothing}\n");
    }
    let namespace = match vault.namespace.as_str() {
        "" => String::new(),
        namespace => format!(" -namespace={namespace}"),
    };
    let asked = if name == "keyrelay" { "" } else { " --consumer NAME" };
    let asked = asked.replace("NAME", name.strip_prefix("keyrelay-").unwrap_or(name));
    let mut text = format!(
        "# {header}\n# Install it, and name it in the login's roles; with OpenBao, bao takes the place of vault:\n\
         #   keyrelay policy vault{asked} | vault policy write{namespace} {name} -\n\
         # Do so again when credentials, consumers or paths have changed.\n"
    );
    for Right { path, capabilities, why } in rights {
        let capabilities: Vec<_> = capabilities.iter().map(|word| format!("\"{word}\"")).collect();
        let capabilities = capabilities.join(", ");
        text += &format!("\n# {why}\npath \"{path}\" {{\n  capabilities = [{capabilities}]\n}}\n");
    }
    text
}
