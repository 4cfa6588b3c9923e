//! Durable intake against a bare echo, in one run: the ratio is what counts.
//!
//! The same load generator, over keep-alive connections, posts Telegram updates of about 1 KB first to
//! a bare axum echo and then to the daemon: verified, deduplicated, journaled with a sync per group,
//! routed, seen by rules, stored. Run it with `make bench`.
//!
//! `SWITCHBOARD_BENCH_MESSAGES` and `SWITCHBOARD_BENCH_CONNECTIONS` change the size.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use switchboard::api::{self, server::ServerLimits};
use switchboard::node::{Clock, Options, Watch, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Conversations that the messages belong to.
const CHATS: u64 = 2_000;
const SECRET: &str = "bench-secret";
/// Of the form that the messenger gives out; nobody is asked whether it is real.
const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

/// The daemon's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    switchboard::node::memory::prefer_small_pages();
    let messages = setting("SWITCHBOARD_BENCH_MESSAGES", 200_000)?;
    let connections = setting("SWITCHBOARD_BENCH_CONNECTIONS", 64)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(messages, connections))
}

fn setting(name: &str, default: u64) -> anyhow::Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is not a number")),
        Err(_) => Ok(default),
    }
}

async fn run(messages: u64, connections: u64) -> anyhow::Result<()> {
    let echo = start_echo().await?;
    // The first round warms up; the second counts.
    load(echo, "/echo", messages / 10, connections, 0).await?;
    let bare = load(echo, "/echo", messages, connections, 0).await?;
    bare.print("bare axum echo");

    let folder = tempfile::tempdir()?;
    write_config(folder.path())?;
    let options = Options {
        folder: folder.path().to_owned(),
        data: Some(folder.path().join("data")),
        watch: Watch::Nothing,
        clock: Clock::system(),
    };
    let node = start::start(options.clone(), &mut |_| {}).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = api::router(node.shared().clone());
    let stop = CancellationToken::new();
    let server = tokio::spawn(api::server::serve(listener, router, ServerLimits::default(), stop.clone()));
    load(address, "/webhooks/bench", messages / 10, connections, 1).await?;
    let intake = load(address, "/webhooks/bench", messages, connections, 1_000_000_000).await?;
    intake.print("durable intake");
    let lag = node.shared().handle.applied_seq().saturating_sub(node.shared().handle.stored_seq());
    println!("store lag at the end: {lag} entries");
    println!("ratio {:.3}", intake.per_second() / bare.per_second());
    stop.cancel();
    server.await?;
    node.stop().await?;
    println!(
        "disk: {:.2} KB per message",
        kilobytes(&folder.path().join("data"))? / as_f64(messages + messages / 10)
    );
    println!("most memory so far, load generator included: {:.0} MB", most_memory_kb()? / 1000.0);
    for (name, store_is_there) in [("opened again", true), ("opened again without its store", false)] {
        if !store_is_there {
            std::fs::remove_dir_all(folder.path().join("data/store"))?;
        }
        let begin = Instant::now();
        let node = start::start(options.clone(), &mut |_| {}).await?;
        println!("{name} in {:.1} s", begin.elapsed().as_secs_f64());
        node.stop().await?;
        println!("most memory so far: {:.0} MB", most_memory_kb()? / 1000.0);
    }
    Ok(())
}

/// What the kernel says this process had at its largest.
fn most_memory_kb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

async fn start_echo() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/echo", post(|body: Bytes| async move { body }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

fn write_config(folder: &Path) -> anyhow::Result<()> {
    std::fs::write(folder.join("secret"), SECRET)?;
    std::fs::write(folder.join("token"), TOKEN)?;
    std::fs::write(
        folder.join("channels.yaml"),
        "version: 1\nchannels:\n  bench:\n    kind: telegram\n    line: sales\n    token: {file: ./token}\n    \
         webhook_secret: {file: ./secret}\n    api_base: http://127.0.0.1:1\n",
    )?;
    std::fs::write(
        folder.join("lines.yaml"),
        "version: 1\nlines:\n  sales:\n    name: Sales\n    routing: {strategy: least_loaded, operators: [anna], \
         capacity: {limit: 5}}\n",
    )?;
    std::fs::write(folder.join("operators.yaml"), "version: 1\noperators:\n  anna: {name: Anna}\n")?;
    std::fs::create_dir(folder.join("rules"))?;
    let rules: String = (0..10)
        .map(|number| {
            format!(
                "  - id: rule-{number}\n    on: {{event: message.received}}\n    when: {{path: message.text, contains: \
                 \"word-{number}-that-nobody-writes\"}}\n    do: [{{add_tags: [tag-{number}]}}]\n"
            )
        })
        .collect();
    std::fs::write(folder.join("rules/bench.yaml"), format!("version: 1\nrules:\n{rules}"))?;
    Ok(())
}

struct Figures {
    took: Duration,
    /// Processor time of the whole process, load generator included.
    processor: Duration,
    latencies_us: Vec<u64>,
}

impl Figures {
    fn per_second(&self) -> f64 {
        as_f64(u64::try_from(self.latencies_us.len()).unwrap_or(u64::MAX)) / self.took.as_secs_f64()
    }

    fn print(&self, name: &str) {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_unstable();
        let at = |per_mille: usize| {
            let last = sorted.len().saturating_sub(1);
            sorted.get(last * per_mille / 1000).copied().unwrap_or_default()
        };
        println!(
            "{name}: {:.0} requests/s, {:.1} µs of processor each, p50 {} µs, p99 {} µs, longest {} µs",
            self.per_second(),
            self.processor.as_secs_f64() * 1e6 / as_f64(u64::try_from(sorted.len()).unwrap_or(u64::MAX)),
            at(500),
            at(990),
            at(1000)
        );
    }
}

async fn load(
    address: SocketAddr,
    path: &'static str,
    messages: u64,
    connections: u64,
    first_id: u64,
) -> anyhow::Result<Figures> {
    let begin = Instant::now();
    let processor_before = processor_time()?;
    let mut tasks = Vec::new();
    for connection in 0..connections {
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut latencies_us = Vec::new();
            let mut buffer = vec![0; 16 * 1024];
            for number in (connection..messages).step_by(usize::try_from(connections)?) {
                let request = request(path, first_id + number);
                let sent = Instant::now();
                stream.write_all(request.as_bytes()).await?;
                read_answer(&mut stream, &mut buffer).await?;
                latencies_us.push(u64::try_from(sent.elapsed().as_micros())?);
            }
            anyhow::Ok(latencies_us)
        }));
    }
    let mut latencies_us = Vec::new();
    for task in tasks {
        latencies_us.extend(task.await??);
    }
    let processor = processor_time()?.saturating_sub(processor_before);
    Ok(Figures { took: begin.elapsed(), processor, latencies_us })
}

/// What the kernel has counted for this process: fields 14 and 15 of its `stat`, in hundredths of a second.
fn processor_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).map_while(|field| field.parse().ok()).collect();
    Ok(Duration::from_millis(10 * ticks.iter().sum::<u64>()))
}

fn request(path: &str, id: u64) -> String {
    let chat = 1_000_000 + id % CHATS;
    let text = "The parcel has not come yet, although it was promised for Tuesday. ".repeat(8);
    let body = format!(
        "{{\"update_id\":{id},\"message\":{{\"message_id\":{id},\"from\":{{\"id\":{chat},\"is_bot\":false,\
         \"first_name\":\"Client\",\"last_name\":\"Number {chat}\",\"username\":\"client{chat}\",\"language_code\":\"en\"}},\
         \"chat\":{{\"id\":{chat},\"first_name\":\"Client\",\"last_name\":\"Number {chat}\",\"username\":\"client{chat}\",\
         \"type\":\"private\"}},\"date\":1441645532,\"text\":\"{text}\"}}}}"
    );
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         x-telegram-bot-api-secret-token: {SECRET}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads one answer with a `content-length`, and refuses any status but 200.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
    let mut filled = 0;
    loop {
        let Some(room) = buffer.get_mut(filled..) else { bail!("the answer is too long") };
        let read = stream.read(room).await?;
        if read == 0 {
            bail!("the connection was closed");
        }
        filled += read;
        let Some(so_far) = buffer.get(..filled) else { bail!("the answer is too long") };
        let Some(head_end) = so_far.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(so_far.get(..head_end).unwrap_or_default())?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("unexpected answer: {}", String::from_utf8_lossy(so_far));
        }
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .context("an answer without a length")?
            .parse()?;
        if filled >= head_end + 4 + length {
            return Ok(());
        }
    }
}

fn kilobytes(folder: &Path) -> anyhow::Result<f64> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok(as_f64(bytes) / 1000.0)
}

/// Figures for people: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
