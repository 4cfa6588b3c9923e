//! `cargo run --example messenger`: the messenger's side of the example configuration, on this machine.
//!
//! Listens on 127.0.0.1:9000 (or the address given as the first argument) and prints every call.
//! `GET /sent` returns all calls as JSON; `POST /faults` makes the next calls go wrong, for example
//! `{"times": 2, "fault": "too_many_requests", "retry_after": 3}`.

#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

mod server;

use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;

use server::Messenger;

/// The address that the example configuration names.
const ADDRESS: &str = "127.0.0.1:9000";

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| ADDRESS.to_owned());
    match run(&address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{address} cannot be listened on: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str) -> std::io::Result<()> {
    // The secret of the endpoint `duty-room`, to check signatures with.
    let messenger = Messenger::start(TcpListener::bind(address).await?, std::env::var("HOOK_SECRET").ok())?;
    println!("The messenger listens on http://{}", messenger.address());
    println!("  POST /bot<token>/sendMessage   the Bot API of Telegram");
    println!("  POST /hooks                    notifications");
    println!("  POST /erp/reply                replies to the channel `erp`");
    println!("  GET  /sent                     all calls as JSON");
    println!("  POST /faults                   make the next calls go wrong\n");
    let (_, mut calls) = messenger.follow();
    loop {
        match calls.recv().await {
            Ok(call) => println!("{call}"),
            Err(RecvError::Lagged(missed)) => println!("… {missed} more calls: see GET /sent"),
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}
