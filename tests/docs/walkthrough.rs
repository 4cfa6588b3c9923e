//! The README's walkthrough, run as it is written.
//!
//! - `<!-- run: messenger -->`: the command that starts the messenger; here it runs as a module;
//! - `<!-- run: daemon -->`: the command that starts the daemon; here the built binary is started
//!   with the variables that stand before it;
//! - `<!-- run -->`, `<!-- run: exit N -->`: run by bash, one shell after the other, with the variables and
//!   functions of the ones before;
//! - `<!-- expect -->`: what the block before prints; `<!-- expect: messenger -->`,
//!   `<!-- expect: daemon -->`: what these print. White space does not count, `…` stands for anything.
//!
//! Ports are replaced by free ones, and `cargo run --` by the built binary.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::e2e::daemon::{Daemon, copy_example};
use crate::e2e::messenger::Messenger;
use crate::e2e::waiting::eventually;

use super::markdown::{Fence, fences, read, root};

const DAEMON: &str = "127.0.0.1:8080";
const MESSENGER: &str = "127.0.0.1:9000";
const CARGO_RUN: &str = "cargo run --";

/// What the walkthrough has come to.
struct Walk {
    folder: tempfile::TempDir,
    /// Variables and functions between two shells; not in `folder`, which the daemon watches.
    shell: tempfile::TempDir,
    messenger: Option<Messenger>,
    daemon: Option<Daemon>,
    printed: String,
}

#[tokio::test]
async fn the_walkthrough_of_the_readme_runs_as_it_is_written() {
    let text = read(Path::new("README.md"));
    let steps: Vec<Fence> = fences(&text)
        .into_iter()
        .filter(|fence| fence.mark.starts_with("run") || fence.mark.starts_with("expect"))
        .collect();
    assert!(steps.len() > 10, "the README has no walkthrough");
    let mut walk = Walk::begin();
    for step in &steps {
        println!("README.md:{}: {}", step.line, step.mark);
        match step.mark.as_str() {
            "run: messenger" => walk.start_messenger(step).await,
            "run: daemon" => walk.start_daemon(step).await,
            "run" => walk.run(step, 0).await,
            "expect" => expect(step, &walk.printed, &walk.with_ports(&step.text)),
            "expect: messenger" => walk.expect_messenger(step).await,
            "expect: daemon" => walk.expect_daemon(step).await,
            other => match other.strip_prefix("run: exit ").and_then(|code| code.parse().ok()) {
                Some(code) => walk.run(step, code).await,
                None => panic!("README.md:{}: unknown mark {other}", step.line),
            },
        }
    }
}

#[test]
fn every_shell_block_of_the_walkthrough_is_run() {
    let text = read(Path::new("README.md"));
    let walkthrough = text.split("## Try it").nth(1).unwrap().split("\n## ").next().unwrap();
    let fences = fences(walkthrough);
    let unmarked: Vec<_> =
        fences.iter().filter(|fence| fence.language == "sh" && !fence.mark.starts_with("run")).collect();
    assert!(unmarked.is_empty(), "{unmarked:#?}");
}

impl Walk {
    fn begin() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        copy_example(folder.path());
        std::os::unix::fs::symlink(root().join("tests"), folder.path().join("tests")).unwrap();
        let shell = tempfile::TempDir::new().unwrap();
        Self { folder, shell, messenger: None, daemon: None, printed: String::new() }
    }

    async fn start_messenger(&mut self, step: &Fence) {
        assert_eq!(step.text.trim(), "HOOK_SECRET=hook-secret cargo run --example messenger");
        let messenger = crate::e2e::daemon::messenger().await;
        for file in ["channels.yaml", "switchboard.yaml"] {
            let path = self.folder.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace(MESSENGER, &messenger.address().to_string());
            fs::write(path, text.replace(DAEMON, "127.0.0.1:0")).unwrap();
        }
        self.messenger = Some(messenger);
    }

    async fn start_daemon(&mut self, step: &Fence) {
        let text = step.text.replace("\\\n", " ");
        let (variables, command) = text.split_once("cargo run").unwrap();
        let arguments = command.trim().strip_prefix("--").unwrap_or_default().split_whitespace();
        let mut daemon = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        daemon.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        for variable in variables.split_whitespace() {
            let (name, value) = variable.split_once('=').unwrap();
            daemon.env(name, value);
        }
        self.daemon = Some(Daemon::start(daemon).await);
    }

    /// A text of the README with the ports of this run.
    fn with_ports(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(messenger) = &self.messenger {
            text = text.replace(MESSENGER, &messenger.address().to_string());
        }
        if let Some(daemon) = &self.daemon {
            text = text.replace(DAEMON, daemon.base().trim_start_matches("http://"));
        }
        text
    }

    async fn run(&mut self, step: &Fence, code: i32) {
        let state = self.shell.path().join("state");
        let binary = env!("CARGO_BIN_EXE_switchboard");
        let block = self.with_ports(&step.text).replace(CARGO_RUN, binary);
        let script = format!(
            "[ ! -e '{0}' ] || . '{0}'\nset -a\n{block}\nended=$?\nset +a\n\
             {{ declare -p | grep -E '^declare -x (API|DIALOG)='; declare -f; }} > '{0}'\nexit $ended\n",
            state.display()
        );
        let folder = self.folder.path().to_owned();
        let running = tokio::task::spawn_blocking(move || {
            Command::new("bash").arg("-c").arg(script).current_dir(folder).stdin(Stdio::null()).output()
        });
        let output = running.await.unwrap().unwrap();
        self.printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "README.md:{}: {}{errors}", step.line, self.printed);
        self.printed.push_str(&errors);
    }

    async fn expect_messenger(&self, step: &Fence) {
        let messenger = self.messenger.as_ref().unwrap();
        let expected = self.with_ports(&step.text);
        let what = format!("README.md:{}: the messenger prints {expected}", step.line);
        eventually(&what, || async {
            let lines: Vec<_> = messenger.follow().0.iter().map(ToString::to_string).collect();
            missing(&expected, &lines.join("\n")).is_none().then_some(())
        })
        .await;
    }

    async fn expect_daemon(&self, step: &Fence) {
        let daemon = self.daemon.as_ref().unwrap();
        let expected = self.with_ports(&step.text);
        let what = format!("README.md:{}: the daemon prints {expected}", step.line);
        eventually(&what, || async { missing(&expected, &daemon.said()).is_none().then_some(()) }).await;
    }
}

#[track_caller]
fn expect(step: &Fence, printed: &str, expected: &str) {
    if let Some(part) = missing(expected, printed) {
        panic!("README.md:{}: {part:?} is not in what is printed:\n{printed}", step.line);
    }
}

/// The first part of `expected` between `…` that does not follow in `printed`.
pub(super) fn missing(expected: &str, printed: &str) -> Option<String> {
    let dense = |text: &str| text.chars().filter(|character| !character.is_whitespace()).collect::<String>();
    let (expected, printed) = (dense(expected), dense(printed));
    let mut rest = printed.as_str();
    for part in expected.split('…').filter(|part| !part.is_empty()) {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return Some(part.to_owned()),
        }
    }
    None
}

#[test]
fn expected_parts_must_stand_in_their_order() {
    assert_eq!(missing("a b … d", "x ab c\nd"), None);
    assert_eq!(missing("d … a", "a d"), Some("a".to_owned()));
}
