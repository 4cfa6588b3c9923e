//! The pages of the commands that watch a daemon, run as they are written: on the example configuration, with
//! Anna online and one client who has written. The marks are those of the walkthrough.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::e2e::daemon::{Site, messenger};

use super::markdown::{fences, read};
use super::walkthrough::missing;

const PAGES: [&str; 3] = ["docs/tail.md", "docs/explain.md", "docs/top.md"];
/// Where the daemon listens in the pages.
const DAEMON: &str = "127.0.0.1:8080";

#[tokio::test]
async fn the_pages_of_the_watching_commands_run_as_they_are_written() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    daemon.anna_online().await;
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
    assert_eq!(daemon.dialog().await, "d-4", "the pages name the first dialog");
    let address = daemon.base().trim_start_matches("http://");
    // The commands find the daemon by its settings, as on anybody's machine.
    site.edit("switchboard.yaml", "127.0.0.1:0", address);
    let programs = Path::new(env!("CARGO_BIN_EXE_switchboard")).parent().unwrap().display().to_string();
    for page in PAGES {
        let (mut before, mut printed) = (String::new(), String::new());
        for fence in fences(&read(Path::new(page))) {
            let place = format!("{page}:{}", fence.line);
            match fence.mark.as_str() {
                "run" => {
                    // What one block exports, the next ones have.
                    before.push_str(&exports(&fence.text));
                    let output = Command::new("bash")
                        .arg("-c")
                        .arg(format!("set -euo pipefail\n{before}{}", fence.text))
                        .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()))
                        .current_dir(site.folder())
                        .stdin(Stdio::null())
                        .output()
                        .unwrap();
                    printed = String::from_utf8(output.stdout).unwrap();
                    let errors = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.success(), "{place}: {printed}{errors}");
                }
                "expect" => {
                    let part = missing(&fence.text.replace(DAEMON, address), &printed);
                    assert_eq!(part, None, "{place}: not in what is printed:\n{printed}");
                }
                _ => assert_ne!(fence.language, "sh", "{place}: a command that no test runs"),
            }
        }
        assert!(!printed.is_empty(), "{page} runs nothing");
    }
}

fn exports(block: &str) -> String {
    block.lines().filter(|line| line.starts_with("export ")).map(|line| format!("{line}\n")).collect()
}
