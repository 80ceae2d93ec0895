//! `bao agent`, rendering one template from the key's document into a file.

use super::site::{PATH, Site};
use crate::world::{Scratch, Server, until};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub struct Agent {
    server: Server,
    dir: Scratch,
}

impl Agent {
    /// It looks once a second (`static_secret_render_interval`; its default is 5 minutes). Returns when it has written
    /// the file once.
    pub async fn start(site: &Site) -> Self {
        let dir = Scratch::new();
        let role = site.bao.approle(&["vendors/*"]).await;
        let (role_id, secret_id) =
            (dir.secret("role-id", &role.role_id), dir.secret("secret-id", &role.secret_id));
        let config = format!(
            r#"vault {{
  address = "{address}"
  ca_cert = "{ca}"
}}
auto_auth {{
  method "approle" {{
    mount_path = "auth/approle"
    config = {{
      role_id_file_path = "{role_id}"
      secret_id_file_path = "{secret_id}"
      remove_secret_id_file_after_reading = false
    }}
  }}
}}
template_config {{
  static_secret_render_interval = "1s"
}}
template {{
  contents = "{{{{ with secret \"secret/data/{PATH}\" }}}}{{{{ .Data.data.api_key }}}}{{{{ end }}}}"
  destination = "{file}"
}}
"#,
            address = site.bao.address(),
            ca = site.bao.ca_path().display(),
            role_id = role_id.display(),
            secret_id = secret_id.display(),
            file = dir.join("leaf7.key").display(),
        );
        let config = dir.write("agent.hcl", &config);
        let args = ["agent".to_owned(), format!("-config={}", config.display())];
        let server = Server::start(&program(), args, &[], &dir.join("log"));
        let mut agent = Self { server, dir };
        until("the agent has written its file", async || {
            agent.server.assert_running();
            fs::read(agent.file()).ok()
        })
        .await;
        agent
    }

    pub fn file(&self) -> PathBuf {
        self.dir.join("leaf7.key")
    }
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

/// Beside the other tools of the tests.
fn program() -> PathBuf {
    let standard = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools");
    std::env::var_os("TEST_TOOLS_DIR").map_or_else(standard, PathBuf::from).join("bin/bao")
}
