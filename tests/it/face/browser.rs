//! A real Chromium without a window, told what to do over a pipe (the DevTools protocol). Everything that it
//! complains about is kept.

use crate::world::Scratch;
use serde_json::{Value, json};
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

pub struct Browser {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    last_id: u64,
    session: Option<String>,
    /// Pages that were loaded to the end.
    loads: usize,
    /// Errors on the console, exceptions, what the policy forbade, and what could not be loaded.
    pub complaints: Vec<String>,
    child: Child,
    _profile: Scratch,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub width: u32,
    pub height: u32,
    pub scheme: &'static str,
}

pub const DESK: View = View { width: 1280, height: 860, scheme: "light" };
/// Half a screen, and the pictures of the README.
pub const HALF: View = View { width: 920, height: 760, scheme: "light" };
pub const PHONE: View = View { width: 390, height: 844, scheme: "light" };

/// `None`, and says why, where no Chromium is installed.
pub async fn start() -> Option<Browser> {
    let Some(program) =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser"].into_iter().find(|path| Path::new(path).exists())
    else {
        eprintln!("skipped: no chromium is installed (scripts/setup installs it where apt has it)");
        return None;
    };
    let profile = Scratch::new();
    let mut command = Command::new("/bin/sh");
    // The protocol's pipe is file 3 to the browser and file 4 from it.
    command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#, program]);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--hide-scrollbars", "--remote-debugging-pipe"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.env("HOME", profile.path()).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("a browser");
    let (to, from) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let from = BufReader::new(from);
    let mut browser = Browser {
        to,
        from,
        last_id: 0,
        session: None,
        loads: 0,
        complaints: Vec::new(),
        child,
        _profile: profile,
    };
    let target = browser.call("Target.createTarget", json!({"url": "about:blank"})).await;
    let attach = json!({"targetId": target["targetId"], "flatten": true});
    let attached = browser.call("Target.attachToTarget", attach).await;
    browser.session = Some(attached["sessionId"].as_str().expect("a session").to_owned());
    for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
        browser.call(domain, json!({})).await;
    }
    Some(browser)
}

/// With everything that it started.
impl Drop for Browser {
    fn drop(&mut self) {
        let id = self.child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        // One that has ended already is not there to be killed.
        let _ = id.map(|id| rustix::process::kill_process_group(id, rustix::process::Signal::KILL));
    }
}

impl Browser {
    /// Goes there, and waits until it is loaded.
    pub async fn open(&mut self, url: &str, view: View) {
        let View { width, height, scheme } = view;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", media).await;
        let loads = self.loads;
        let gone = self.call("Page.navigate", json!({"url": url})).await;
        assert!(gone["errorText"].is_null(), "{url}: {gone}");
        // The answer may come after the event.
        while self.loads == loads {
            self.read().await;
        }
    }

    /// What a script says of the page.
    pub async fn evaluate(&mut self, script: &str) -> Value {
        let ask = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", ask).await;
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }
    /// Whether scripts of the page run; those of [`Browser::evaluate`] do in any case.
    pub async fn allow_scripts(&mut self, allowed: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": !allowed})).await;
    }

    /// The page from top to bottom, as a PNG below target/screenshots.
    pub async fn picture(&mut self, name: &str) {
        let shot = json!({"captureBeyondViewport": true});
        let answer = self.call("Page.captureScreenshot", shot).await;
        use base64::{Engine, engine::general_purpose::STANDARD};
        let png = STANDARD.decode(answer["data"].as_str().expect("a picture")).expect("base64");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("a picture");
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let bytes = [message.to_string().as_bytes(), b"\0"].concat();
        self.to.write_all(&bytes).await.expect("the browser listens");
        loop {
            let answer = self.read().await;
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    async fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = self.from.read_until(0, &mut bytes);
        let len = tokio::time::timeout(crate::world::PATIENCE, read)
            .await
            .expect("the browser answers")
            .expect("a pipe");
        assert!(len > 0, "the browser is gone");
        let message: Value = serde_json::from_slice(&bytes[..len - 1]).expect("JSON");
        let params = &message["params"];
        match message["method"].as_str() {
            Some("Page.loadEventFired") => self.loads += 1,
            Some("Runtime.exceptionThrown") => self.complaints.push(params["exceptionDetails"].to_string()),
            Some("Log.entryAdded") if params["entry"]["level"] != "verbose" => {
                self.complaints.push(params["entry"].to_string());
            }
            Some("Runtime.consoleAPICalled") => self.complaints.push(params["args"].to_string()),
            Some("Network.loadingFailed") if params["canceled"] != true => {
                self.complaints.push(params.to_string())
            }
            _ => {}
        }
        message
    }
}
