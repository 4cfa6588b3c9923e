//! The commands that watch a running daemon: `tail`, `explain` and `top`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::daemon::{ADMIN, ANNA, Daemon, Site, messenger};
use super::waiting::eventually;

/// A command that asks a daemon, with a token in its environment.
fn asking(site: &Site, daemon: &Daemon, token: &str, arguments: &[&str]) -> Command {
    let mut command = site.command(arguments);
    command.args(["--url", daemon.base()]).env("SWITCHBOARD_TOKEN", token).env("TZ", "UTC");
    command
}

/// What a command prints that must end well.
#[track_caller]
fn printed(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert_eq!(stderr, "");
    String::from_utf8(stdout).unwrap()
}

/// What a command complains of that must fail.
#[track_caller]
fn complaint(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&stdout), "");
    assert!(!stderr.contains("swb_"), "a token is never printed: {stderr}");
    stderr
}

/// A command that runs until it is told to stop.
struct Running {
    child: Child,
    output: Arc<Mutex<String>>,
    errors: Arc<Mutex<String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (output, errors) = <(Arc<Mutex<String>>, Arc<Mutex<String>>)>::default();
        keep(child.stdout.take().unwrap(), &output);
        keep(child.stderr.take().unwrap(), &errors);
        Self { child, output, errors }
    }

    /// Waits until it has printed this.
    async fn prints(&self, text: &str) {
        eventually(&format!("it prints {text:?}"), async || self.output.lock().contains(text).then_some(()))
            .await;
    }

    async fn ends_with(&mut self, code: i32) {
        let child = Mutex::new(&mut self.child);
        let status = eventually("it ends", async || child.lock().try_wait().unwrap()).await;
        assert_eq!(status.code(), Some(code), "{}", self.errors.lock());
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

fn keep(mut stream: impl std::io::Read + Send + 'static, kept: &Arc<Mutex<String>>) {
    let kept = Arc::clone(kept);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        // A terminal whose last user has gone ends with an error.
        while let Ok(count @ 1..) = stream.read(&mut bytes) {
            kept.lock().push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    });
}

#[tokio::test]
async fn tail_prints_a_line_for_each_event_until_it_is_interrupted() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    let arguments = ["tail", "--after", "0", "--line", "sales", "--event", "dialog.opened,dialog.offered"];
    let mut people = Running::start(asking(&site, &daemon, ADMIN, &arguments));
    let machines = [&arguments[..], &["--format", "json"]].concat();
    let mut machines = Running::start(asking(&site, &daemon, ADMIN, &machines));
    daemon.anna_online().await;
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
    people.prints("operator=anna").await;
    machines.prints("\"operator\":\"anna\"").await;
    let lines = people.output.lock().clone();
    let kinds: Vec<&str> = lines.lines().filter_map(|line| line.split_whitespace().nth(4)).collect();
    assert_eq!(kinds, ["dialog.opened", "dialog.offered"], "{lines}");
    assert!(!lines.contains('\u{1b}'), "colours are for terminals: {lines}");
    let events: Vec<Value> =
        machines.output.lock().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&events[0]["type"], &events[1]["type"]), (&json!("dialog.opened"), &json!("dialog.offered")));
    for running in [&mut people, &mut machines] {
        running.signal("INT");
        running.ends_with(0).await;
        assert_eq!(*running.errors.lock(), "");
    }
}

#[tokio::test]
async fn tail_goes_on_without_a_gap_when_the_daemon_comes_back() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let mut daemon = site.start().await;
    daemon.accepted_dialog().await;
    let arguments = ["tail", "--after", "0", "--event", "message.received", "--format", "json"];
    let mut tail = Running::start(asking(&site, &daemon, ADMIN, &arguments));
    tail.prints("message.received").await;
    daemon.stop().await;
    // It is the same daemon only at the same address.
    let address = daemon.base().trim_start_matches("http://").to_owned();
    site.edit("switchboard.yaml", "127.0.0.1:0", &address);
    let daemon = site.start().await;
    daemon.telegram(2, "Вы тут?").await.expect(200);
    eventually("the second message", async || {
        (tail.output.lock().matches("message.received").count() == 2).then_some(())
    })
    .await;
    tail.signal("TERM");
    tail.ends_with(0).await;
    let said = tail.errors.lock().clone();
    assert!(said.contains("The stream broke: ") && said.contains("The stream goes on"), "{said}");
}

#[tokio::test]
async fn tail_ends_when_nobody_reads_any_more() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    let mut command = asking(&site, &daemon, ADMIN, &["tail", "--after", "0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    daemon.anna_online().await;
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("config.activated"), "{line}");
    drop(output);
    // The next event is written to nobody.
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
    let child = Mutex::new(child);
    let status = eventually("it ends", async || child.lock().try_wait().unwrap()).await;
    let mut errors = String::new();
    child.lock().stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn explain_tells_of_a_dialog_its_message_its_offer_and_its_events() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    daemon.anna_online().await;
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
    let dialog = daemon.dialog().await;
    let explain =
        |arguments: &[&str]| printed(asking(&site, &daemon, ADMIN, &[&["explain"], arguments].concat()));
    let page = explain(&[&dialog]);
    for part in [
        &format!("dialog {dialog}: Мария, line sales, channel shop-telegram"),
        "routing, because: opened",
        "line sales, strategy least_loaded",
        "offered to anna (",
        "operator  verdict",
        "*  anna      eligible",
        "boris     offline",
        "configuration sha256:",
        "live since ",
    ] {
        assert!(page.contains(part), "{part:?} is missing in\n{page}");
    }

    let whole: Value = serde_json::from_str(&explain(&[&dialog, "--format", "json"])).unwrap();
    let offer = whole["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|decision| decision["offers"][0]["id"].as_str())
        .unwrap();
    let page = explain(&[offer]);
    assert!(page.contains(&format!("offer {offer}, entry ")) && page.contains("it has not ended"), "{page}");
    daemon.post(ANNA, &format!("/v1/dialogs/{dialog}/accept"), &json!({})).await.expect(200);
    let page = explain(&[offer]);
    assert!(page.contains("it ended ") && page.contains(": accepted"), "{page}");
    assert_eq!(page.matches("routing, because").count(), 1, "{page}");

    let messages = daemon.get(ANNA, &format!("/v1/dialogs/{dialog}/messages")).await.expect(200);
    let message = messages.at("/items/0/id").as_str().unwrap().to_owned();
    let page = explain(&[&message]);
    assert!(page.contains("message.received") && page.contains("routing, because: opened"), "{page}");
    // The second message changes priority and topic by a rule.
    daemon.telegram(2, "Хочу возврат").await.expect(200);
    let page = explain(&[&dialog]);
    assert!(page.contains("rule refund-first on message.received\n"), "{page}");
    assert!(page.contains("contains any ["), "its conditions: {page}");
    assert!(page.contains("  set_priority: done\n"), "{page}");
    let live = daemon.get(ADMIN, "/v1/config").await.expect(200);
    let page = explain(&[&format!("{}.0", live.at("/active/seq"))]);
    assert!(page.contains("config.activated") && page.contains("about no dialog"), "{page}");
}

#[tokio::test]
async fn what_cannot_be_answered_is_told_with_what_to_do() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let mut daemon = site.start().await;
    let fails = |token: &str, arguments: &[&str]| complaint(asking(&site, &daemon, token, arguments));
    let unknown = "swb_0000000000000000000000000000000000000000000000000000000000000000";
    assert!(fails(unknown, &["tail"]).contains("the daemon does not know this token"));
    assert!(fails(ADMIN, &["tail", "--line", "sale"]).contains("did you mean `sales`?"));
    assert!(fails(ADMIN, &["tail", "--event", "dialog.exploded"]).contains("types of events"));
    assert!(fails(ADMIN, &["tail", "--after", "999999"]).contains("has not come to that event"));
    assert!(fails(ADMIN, &["explain", "d-999"]).contains("there is no dialog `d-999`"));
    assert!(fails(ADMIN, &["top", "--line", "supprt", "--once"]).contains("did you mean `support`?"));
    // Output is no terminal here.
    assert!(fails(ADMIN, &["top"]).contains("--once"));

    let mut without = asking(&site, &daemon, "", &["tail"]);
    without.env_remove("SWITCHBOARD_TOKEN");
    assert!(complaint(without).contains("name a file with --token-file, or set SWITCHBOARD_TOKEN"));
    let any_port = site.command(&["tail"]);
    assert!(complaint(any_port).contains("takes any free port; name the daemon's address with --url"));
    daemon.stop().await;
    let fails = complaint(asking(&site, &daemon, ADMIN, &["top", "--once"]));
    assert!(fails.contains("nobody answers at http://127.0.0.1:"), "{fails}");
    assert!(fails.contains("is the daemon running"), "{fails}");
}

#[tokio::test]
async fn a_token_may_come_from_a_file() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{ADMIN}\n\n")).unwrap();
    let mut command = site.command(&["top", "--once", "--url", daemon.base()]);
    command.arg("--token-file").arg(file.path());
    assert!(printed(command).contains("nobody waits"));
}

#[tokio::test]
async fn top_prints_one_frame_for_scripts() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    daemon.anna_online().await;
    daemon.telegram(1, "Хочу возврат").await.expect(200);
    let all = printed(asking(&site, &daemon, ADMIN, &["top", "--once"]));
    assert!(all.starts_with(&format!("Switchboard  {}", daemon.base())), "{all}");
    assert!(
        all.contains("1 waiting, 1 of them offered; 0 with an operator; 1 online, 0 away, 2 offline"),
        "{all}"
    );
    let row = |text: &str, begin: &str| -> Vec<String> {
        let row = text.lines().find(|line| line.trim_start().starts_with(begin));
        row.unwrap_or_else(|| panic!("{begin:?}: {text}")).split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(row(&all, "sales")[4..8], ["1", "1", "0", "0s"].map(str::to_owned));
    assert_eq!(row(&all, "anna")[4..6], ["0s", "1/6"].map(str::to_owned), "{all}");
    assert!(all.contains("Мария") && all.contains("refund"), "{all}");

    let support = printed(asking(&site, &daemon, ADMIN, &["top", "--once", "--line", "support"]));
    assert!(support.contains("queue of support") && !support.contains("Мария"), "{support}");
}

/// A terminal without a screen.
#[cfg(target_os = "linux")]
mod terminal {
    use std::fs::File;
    use std::os::fd::OwnedFd;

    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

    use super::*;

    const ROWS: u16 = 24;
    const COLUMNS: u16 = 80;

    /// What a terminal shows after it was told all this. Places of the cursor, erasing and the other screen count;
    /// colours do not.
    fn shown(told: &str) -> String {
        let blank = || vec![vec![' '; usize::from(COLUMNS)]; usize::from(ROWS)];
        let (mut screen, mut row, mut column) = (blank(), 0usize, 0usize);
        let mut rest = told.chars();
        while let Some(character) = rest.next() {
            if matches!(character, '\r' | '\n') {
                (row, column) = (row + usize::from(character == '\n'), 0);
                continue;
            }
            if character != '\u{1b}' {
                if let Some(cell) = screen.get_mut(row).and_then(|row| row.get_mut(column)) {
                    *cell = character;
                }
                column += 1;
                continue;
            }
            rest.next();
            let mut numbers = String::new();
            let command = loop {
                match rest.next() {
                    Some(end @ '@'..='~') => break end,
                    Some(other) => numbers.push(other),
                    None => break 'm',
                }
            };
            match (command, numbers.as_str()) {
                ('H', place) => {
                    let (to_row, to_column) = place.split_once(';').unwrap_or(("1", "1"));
                    (row, column) =
                        (to_row.parse::<usize>().unwrap() - 1, to_column.parse::<usize>().unwrap() - 1);
                }
                ('J', _) => screen = blank(),
                ('h' | 'l', "?1049") => (screen, row, column) = (blank(), 0, 0),
                _ => {}
            }
        }
        let rows: Vec<String> = screen.into_iter().map(String::from_iter).collect();
        rows.join("\n")
    }

    async fn shows(top: &Running, text: &str) {
        eventually(&format!("the terminal shows {text:?}"), async || {
            shown(&top.output.lock()).contains(text).then_some(())
        })
        .await;
    }

    struct Terminal {
        keyboard: File,
        device: OwnedFd,
    }

    impl Terminal {
        fn open() -> Self {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&master).unwrap();
            unlockpt(&master).unwrap();
            let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
            tcsetwinsize(&master, size).unwrap();
            let device = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            Self { keyboard: File::from(master), device }
        }

        fn run(&self, mut command: Command) -> Running {
            let end = || Stdio::from(self.device.try_clone().unwrap());
            let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
            let output = Arc::default();
            keep(self.keyboard.try_clone().unwrap(), &output);
            Running { child, output, errors: Arc::default() }
        }

        fn press(&self, keys: &str) {
            use std::io::Write as _;
            (&self.keyboard).write_all(keys.as_bytes()).unwrap();
        }

        fn is_as_before(&self) -> bool {
            tcgetattr(&self.device).unwrap().local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
        }
    }

    #[tokio::test]
    async fn top_is_live_obeys_keys_and_gives_the_terminal_back() {
        let messenger = messenger().await;
        let site = Site::example(&messenger);
        let daemon = site.start().await;
        let terminal = Terminal::open();
        assert!(terminal.is_as_before());
        let mut top = terminal.run(asking(&site, &daemon, ADMIN, &["top"]));
        shows(&top, "nobody waits").await;
        assert!(!terminal.is_as_before());
        // An event brings the new numbers; nobody waits for the slow question.
        daemon.telegram(1, "Здравствуйте!").await.expect(200);
        shows(&top, "Мария").await;
        terminal.press("?");
        shows(&top, "ask the daemon now").await;
        terminal.press("?\t");
        shows(&top, "queue of sales").await;
        terminal.press("q");
        top.ends_with(0).await;
        eventually("the other screen is left", async || {
            (!shown(&top.output.lock()).contains("Switchboard")).then_some(())
        })
        .await;
        assert!(terminal.is_as_before());
    }

    #[tokio::test]
    async fn top_waits_for_a_daemon_that_is_away_and_shows_what_it_had() {
        let messenger = messenger().await;
        let site = Site::example(&messenger);
        let mut daemon = site.start().await;
        daemon.telegram(1, "Здравствуйте!").await.expect(200);
        let terminal = Terminal::open();
        let mut top = terminal.run(asking(&site, &daemon, ADMIN, &["top"]));
        shows(&top, "live").await;
        daemon.stop().await;
        shows(&top, "the daemon does not answer").await;
        shows(&top, "Мария").await;
        let address = daemon.base().trim_start_matches("http://").to_owned();
        site.edit("switchboard.yaml", "127.0.0.1:0", &address);
        let daemon = site.start().await;
        daemon.anna_online().await;
        shows(&top, "live").await;
        shows(&top, "1 online").await;
        terminal.press("\u{3}");
        top.ends_with(0).await;
        assert!(terminal.is_as_before());
    }

    #[tokio::test]
    async fn top_gives_the_terminal_back_when_it_is_told_to_stop_and_when_its_token_goes() {
        let messenger = messenger().await;
        let site = Site::example(&messenger);
        let daemon = site.start().await;
        let terminal = Terminal::open();
        let mut top = terminal.run(asking(&site, &daemon, ADMIN, &["top"]));
        shows(&top, "nobody waits").await;
        top.signal("TERM");
        top.ends_with(0).await;
        assert!(terminal.is_as_before());

        let terminal = Terminal::open();
        let mut top = terminal.run(asking(&site, &daemon, ANNA, &["top"]));
        shows(&top, "nobody waits").await;
        site.edit("operators.yaml", "b2b028b6f93a865abf48d6dd925e7353", "00000000000000000000000000000000");
        daemon.signal("HUP");
        top.ends_with(1).await;
        // The reason stands below, where the command was typed.
        shows(&top, "the daemon does not know this token").await;
        assert!(terminal.is_as_before());
    }
}
