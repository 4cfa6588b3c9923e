//! `switchboard inject-email`: a mail from the standard input to the running daemon, for the pipe of a mail server.
//!
//! What it ends with is read by the mail server (`sysexits.h`): 0 the mail is kept, 75 come again later, 65 the mail
//! cannot be taken as it is, 78 the command or the configuration names something that is not there.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::config::load::load;
use crate::config::secret::{ProcessEnvironment, Secret, resolve};
use crate::config::source::SourceSet;
use crate::model::channel::ChannelSettings;
use crate::model::id::ChannelId;

use super::client::{ClientError, base_of, listening};
use super::{Arguments, REFUSED};

/// The mail itself cannot be taken (`EX_DATAERR`).
const BAD_MAIL: u8 = 65;
/// Come again later (`EX_TEMPFAIL`).
const LATER: u8 = 75;
/// The largest mail that the daemon takes, in bytes.
const MAIL_BYTES_MAX: u64 = 25 << 20;
/// A daemon that is busy with the disk answers within seconds; the mail server waits for minutes.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// Two lost packets fit in.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// What proves that the mail comes from us.
const SECRET: HeaderName = HeaderName::from_static("x-switchboard-secret");

#[derive(Debug, Args)]
pub(super) struct InjectEmail {
    /// The channel of kind `email` that the mail is for.
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// Where the daemon is, such as `https://chat.example.com`; by default where `listen` of switchboard.yaml says.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// Why the mail was not handed over. Never contains a secret.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("there is no channel `{0}` of kind `email` in channels.yaml")]
    NoChannel(String),
    #[error(
        "the daemon does not take mail for this channel ({0}): compare its channels.yaml and its secret with this one"
    )]
    NotForUs(StatusCode),
    #[error("the mail is empty")]
    Empty,
    #[error("the mail is larger than {MAIL_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the daemon cannot read the mail ({0})")]
    Unreadable(StatusCode),
    #[error("the mail cannot be read from the standard input: {0}")]
    Input(std::io::Error),
    #[error("the configuration cannot be used at present: {0}")]
    Configuration(String),
    #[error(transparent)]
    Place(#[from] ClientError),
    #[error("the daemon does not answer: {0}")]
    Unreachable(String),
    #[error("the daemon has no time for it now ({0})")]
    Busy(StatusCode),
}

impl Refused {
    /// What may be different in an hour is asked for again: a mail that is sent back is lost for its reader.
    const fn exit_code(&self) -> u8 {
        match self {
            Self::NoChannel(_) | Self::NotForUs(_) => REFUSED,
            Self::Empty | Self::TooLarge | Self::Unreadable(_) => BAD_MAIL,
            Self::Input(_)
            | Self::Configuration(_)
            | Self::Place(_)
            | Self::Unreachable(_)
            | Self::Busy(_) => LATER,
        }
    }
}

pub(super) fn run(arguments: &Arguments, wanted: &InjectEmail) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(inject(&arguments.config, wanted)),
        Err(error) => Err(Refused::Unreachable(error.to_string())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(refused) => {
            eprintln!("error: {refused}");
            ExitCode::from(refused.exit_code())
        }
    }
}

async fn inject(folder: &Path, wanted: &InjectEmail) -> Result<(), Refused> {
    let secret = secret(folder, &wanted.channel)?;
    let base = match &wanted.url {
        Some(url) => base_of(url)?,
        None => listening(folder)?,
    };
    let mail = read()?;
    let mut secret = HeaderValue::from_str(secret.expose())
        .map_err(|_| Refused::Configuration("`webhook_secret` is no text for a header".to_owned()))?;
    secret.set_sensitive(true);
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{base}/webhooks/{}", wanted.channel))
        .header(CONTENT_TYPE, "message/rfc822")
        .header(USER_AGENT, concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        .header(SECRET, secret)
        .body(Full::new(mail))
        .map_err(|_| Refused::NoChannel(wanted.channel.clone()))?;
    let status = post(request).await?;
    match status.as_u16() {
        200..=299 => Ok(()),
        413 => Err(Refused::TooLarge),
        400 | 415 | 422 => Err(Refused::Unreadable(status)),
        401 | 403 | 404 | 405 => Err(Refused::NotForUs(status)),
        _ => Err(Refused::Busy(status)),
    }
}

/// The secret of the channel, as the daemon has it.
fn secret(folder: &Path, channel: &str) -> Result<Secret, Refused> {
    let loaded = load(&SourceSet::read(folder));
    let broken = || Refused::Configuration("it has errors, `switchboard check` shows them".to_owned());
    let config = loaded.config.as_ref().ok_or_else(broken)?;
    let settings = config.channels.get(&ChannelId::from(channel)).map(|channel| &channel.settings);
    let Some(ChannelSettings::Email(settings)) = settings else {
        return Err(Refused::NoChannel(channel.to_owned()));
    };
    resolve(&settings.webhook_secret, &ProcessEnvironment::new(folder), &loaded.literals)
        .map_err(|error| Refused::Configuration(error.to_string()))
}

fn read() -> Result<Bytes, Refused> {
    let mut mail = Vec::new();
    std::io::stdin().lock().take(MAIL_BYTES_MAX + 1).read_to_end(&mut mail).map_err(Refused::Input)?;
    if mail.len() as u64 > MAIL_BYTES_MAX {
        return Err(Refused::TooLarge);
    }
    if mail.iter().all(u8::is_ascii_whitespace) {
        return Err(Refused::Empty);
    }
    Ok(Bytes::from(mail))
}

async fn post(request: Request<Full<Bytes>>) -> Result<StatusCode, Refused> {
    let mut tcp = HttpConnector::new();
    // The TLS layer above takes the https addresses.
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_WITHIN));
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(Arc::new(rustls::crypto::ring::default_provider()))
        .map_err(|error| Refused::Unreachable(error.to_string()))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    match tokio::time::timeout(ANSWER_WITHIN, client.request(request)).await {
        Ok(Ok(answer)) => Ok(answer.status()),
        Ok(Err(error)) => Err(Refused::Unreachable(super::client::request::reason(&error))),
        Err(_elapsed) => Err(Refused::Unreachable(format!("within {} seconds", ANSWER_WITHIN.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_asked_for_again_and_what_is_wrong_is_not() {
        assert_eq!(Refused::Unreachable(String::new()).exit_code(), 75);
        assert_eq!(Refused::Busy(StatusCode::SERVICE_UNAVAILABLE).exit_code(), 75);
        assert_eq!(Refused::Configuration(String::new()).exit_code(), 75);
        assert_eq!(Refused::NoChannel("shop".to_owned()).exit_code(), 78);
        assert_eq!(Refused::NotForUs(StatusCode::UNAUTHORIZED).exit_code(), 78);
        assert_eq!(Refused::TooLarge.exit_code(), 65);
        assert_eq!(Refused::Unreadable(StatusCode::BAD_REQUEST).exit_code(), 65);
    }
}
