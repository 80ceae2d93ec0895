//! A fresh machine on which somebody follows the README: its names are the README's own, and lead to the test's servers.

use super::servers::{PATH, Servers};
use crate::world::{Dovecot, Forward, Port, Ran, Sandbox, Smtp};
use std::net::{Ipv4Addr, SocketAddrV4};

pub const BOT: &str = "discord-bot.service";
const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));

pub struct Stranger {
    pub sandbox: Sandbox,
    pub servers: Servers,
    _wires: Vec<Forward>,
    _claim: Port,
}

impl Stranger {
    pub async fn arrives() -> Option<Self> {
        let sandbox = Sandbox::boot().await?;
        let servers = Servers::start().await;
        // An address that no other test has at this time.
        let claim = Port::free();
        let [high, low] = claim.number.to_be_bytes();
        let address = Ipv4Addr::new(127, 77, high, low.max(1));
        let to_server =
            async |port: u16, server: u16| Forward::start(SocketAddrV4::new(address, port), server).await;
        let wires = vec![
            to_server(8200, servers.bao.port()).await,
            to_server(993, servers.dovecot.imaps_port()).await,
            to_server(587, servers.smtp.port.number).await,
        ];
        let names = format!("{address} vault.example.com imap.example.com smtp.example.com\n");
        sandbox.sh_with("cat >>/etc/hosts", names.as_bytes()).await;
        sandbox.sh_with("cat >>/etc/ssl/certs/ca-certificates.crt", servers.ca.ca_pem().as_bytes()).await;
        let simulated = yaml_serde::to_string(&servers.simulated()).expect("plain values");
        sandbox.write("/etc/keyrelay/config.d/simulated.yaml", "644", simulated).await;
        sandbox.sh("ln -s /srv/tools/bao /usr/local/bin/vault").await;
        sandbox
            .write(
                &format!("/etc/systemd/system/{BOT}"),
                "644",
                "[Service]\nDynamicUser=yes\nEnvironmentFile=/etc/discord-bot/keyrelay/leaf7.env\nExecStart=/bin/sleep infinity\n",
            )
            .await;
        sandbox.sh("systemctl daemon-reload").await;
        Some(Self { sandbox, servers, _wires: wires, _claim: claim })
    }

    /// The README's block, as it stands, with the answers to its questions.
    pub async fn follows_the_readme(&self) -> Ran {
        let (_, after) = README.split_once("<!-- install -->\n```sh\n").expect("the README's block");
        let (block, _) = after.split_once("```\n<!-- /install -->").expect("its end");
        let answers = format!("{}\n{}\n{}\n", Dovecot::PASSWORD, Smtp::PASSWORD, self.servers.key().expose());
        let token = self.servers.bao.root_token();
        let script = format!(
            "cd /srv/keyrelay; export CARGO_TARGET_DIR=/srv/target VAULT_TOKEN={token} \
             VAULT_ADDR=https://vault.example.com:8200\n{block}"
        );
        self.sandbox.run_with(&["bash", "-e", "-o", "pipefail", "-c", &script], answers.as_bytes()).await
    }

    /// What the bot's own process has as its key; nothing while it is being started.
    pub async fn key_of_bot(&self) -> String {
        let pid = self.sandbox.show(BOT, "MainPID").await;
        let environment = self.sandbox.run(&["cat", &format!("/proc/{pid}/environ")]).await.stdout;
        let line = environment.split('\0').find_map(|line| line.strip_prefix("LEAF7_API_KEY="));
        line.unwrap_or_default().to_owned()
    }
    /// The key in the store.
    pub async fn stored(&self) -> String {
        let document = self.servers.bao.read(PATH).await.expect("a key document");
        document["api_key"].as_str().expect("a key").to_owned()
    }
}
