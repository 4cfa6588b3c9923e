//! The real program as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use super::deadline::eventually;
use super::site::Site;

/// A running daemon. Killed when dropped.
pub(super) struct Daemon {
    child: Child,
    address: SocketAddr,
    said: Said,
}

/// How a daemon ended, and what it wrote to its error stream.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) said: String,
}

type Said = Arc<(Mutex<String>, Mutex<Vec<JoinHandle<()>>>)>;

impl Daemon {
    /// Starts the daemon and waits until it listens.
    pub(super) fn start(site: &Site) -> Self {
        site.let_go();
        Self::started(program(site, "serve"))
    }

    /// Starts the daemon where no file may grow beyond `bytes`. Whoever writes on is told, not killed.
    pub(super) fn start_with_files_up_to(site: &Site, bytes: u64) -> Self {
        site.let_go();
        let mut command = Command::new("sh");
        // The limit of `sh` counts blocks of 512 bytes.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_switchboard"));
        arguments(&mut command, site, "serve");
        Self::started(command)
    }

    /// Starts a daemon that is to refuse, and waits until it has.
    pub(super) fn refused(site: &Site) -> Ended {
        let mut command = program(site, "serve");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).map(|_| said).unwrap()
        });
        let status = eventually("the daemon refuses", || child.try_wait().unwrap());
        Ended { status, said: reader.join().unwrap() }
    }

    /// Starts a daemon and kills it after so many steps of waiting, wherever it is by then.
    pub(super) fn killed_while_it_starts(site: &Site, steps: u64) {
        let mut command = program(site, "serve");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..steps {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn started(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Said::default();
        let stderr = child.stderr.take().unwrap();
        let listener = std::thread::spawn({
            let said = Arc::clone(&said);
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let mut text = said.0.lock();
                    text.push_str(&line);
                    text.push('\n');
                }
            }
        });
        said.1.lock().push(listener);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Switchboard listens on http://")?.parse().ok());
        // The rest is read away, so that the daemon never waits for its reader.
        said.1.lock().push(std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop)));
        let Some(address) = address else {
            let status = child.wait().unwrap();
            let ended = Ended { status, said: said.wait() };
            panic!("the daemon did not start ({}):\n{}", ended.status, ended.said);
        };
        Self { child, address, said }
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it in the middle of whatever it does.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop.
    pub(super) fn terminate(&self) {
        let asked = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        assert!(asked.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub(super) fn ended(mut self) -> Ended {
        let status = eventually("the daemon ends", || self.child.try_wait().unwrap());
        Ended { status, said: self.said.wait() }
    }

    /// Asks it to stop, and waits until it has.
    pub(super) fn stop(self) -> Ended {
        self.terminate();
        self.ended()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already when the test went well.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

trait Listening {
    fn wait(&self) -> String;
}

impl Listening for Said {
    /// Everything that was said, once the stream has ended.
    fn wait(&self) -> String {
        for listener in self.1.lock().drain(..) {
            listener.join().unwrap();
        }
        self.0.lock().clone()
    }
}

/// Runs a command of the program to its end.
pub(super) fn run(site: &Site, subcommand: &str) -> Output {
    site.let_go();
    run_beside(site, subcommand)
}

/// The same, whoever has the data open.
pub(super) fn run_beside(site: &Site, subcommand: &str) -> Output {
    program(site, subcommand).output().unwrap()
}

/// Runs a command of the program to its end, elsewhere in the world.
pub(super) fn run_abroad(site: &Site, subcommand: &str) -> Output {
    site.let_go();
    let mut command = program(site, subcommand);
    command.env("TZ", "Pacific/Chatham").env("LANG", "tr_TR.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
    command.output().unwrap()
}

/// The digest in what `rebuild` or `verify` printed.
pub(super) fn digest_in(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let digest =
        text.lines().find_map(|line| line.split_once("igest")?.1.split_once(": ").map(|pair| pair.1));
    digest.unwrap_or_else(|| panic!("no digest in {text}")).to_owned()
}

/// What a command wrote to its error stream.
pub(super) fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn program(site: &Site, subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    arguments(&mut command, site, subcommand);
    command
}

fn arguments(command: &mut Command, site: &Site, subcommand: &str) {
    command.arg("--config").arg(site.config()).arg("--data").arg(site.data()).arg(subcommand);
}
