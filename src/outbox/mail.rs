//! Handing mail over: one connection per mail at a time, kept for the next one, behind the same guard as HTTP.
//!
//! `lettre` speaks SMTP; the steps are taken one by one, so that it is known how far a mail came. Before the server has
//! seen its end nothing was sent; behind that, and without a reply, it is [`SendFailure::Ambiguous`]. Names are looked
//! up here and judged by the guard, and the connection goes to exactly these addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailCommand, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::channels::{Mail, MailServer, SMTP_STEP, SendFailure, SmtpStep, WireResponse};
use crate::model::mail::SmtpSecurity;

use super::http::{Addresses, GuardPolicy};

/// Connections to one server at the same time. Most servers allow ten from one address.
const CONNECTIONS_MAX: usize = 4;

/// How long an idle connection is kept. Servers close theirs after five minutes, some after one.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// The time for a connection, with its greeting, encryption and login.
const ESTABLISH_MAX: Duration = Duration::from_secs(10);

/// The time for the question whether an idle connection still lives.
const ALIVE_MAX: Duration = Duration::from_secs(3);

/// The time for a farewell.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// The most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Carries mail. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct MailClient {
    addresses: Addresses,
    /// Certificates that are trusted besides the well-known ones.
    trusted: Arc<[Certificate]>,
    pools: Arc<Mutex<BTreeMap<String, Arc<Pool>>>>,
}

/// The connections to one server.
struct Pool {
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl fmt::Debug for MailClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailClient").finish_non_exhaustive()
    }
}

/// A certificate cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the certificate is not one in PEM form")]
pub struct NoCertificate;

/// Why a step came to no good reply.
enum Broken {
    /// The server replied, and not with yes.
    Reply(Box<WireResponse>),
    /// There is no reply.
    Lost(String),
}

impl MailClient {
    /// A client that obeys the policy and asks the machine's own name lookup.
    pub fn new(policy: GuardPolicy) -> Self {
        Self { addresses: Addresses::new(policy), trusted: Arc::from([]), pools: Arc::default() }
    }

    /// The same, which trusts a certificate besides the well-known ones.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn trusting(self, pem: &[u8]) -> Result<Self, NoCertificate> {
        let certificate = Certificate::from_pem(pem).map_err(|_| NoCertificate)?;
        let trusted = self.trusted.iter().cloned().chain([certificate]).collect();
        Ok(Self { trusted, ..self })
    }

    /// Hands one mail over within `limit`.
    ///
    /// # Errors
    /// There is no reply; see [`SendFailure`].
    pub async fn send(&self, mail: Mail, limit: Duration) -> Result<WireResponse, SendFailure> {
        let deadline = Instant::now() + limit;
        if !is_clean(&mail.message) {
            return Err(SendFailure::Refused(
                "the mail has line ends that servers disagree about".to_owned(),
            ));
        }
        let pool = self.pool(&mail.server);
        let Ok(Ok(_permit)) = timeout_at(deadline, pool.permits.acquire()).await else {
            return Err(SendFailure::NotSent("all connections to the mail server are busy".to_owned()));
        };
        if let Some(connection) = pool.take(deadline).await {
            match carry(connection, &mail, deadline).await {
                // It died while it was asked for more; nothing was sent, and another one is worth a try.
                Err(Unfinished { broken: Broken::Lost(_), is_sent: false }) if Instant::now() < deadline => {}
                other => return pool.finish(other),
            }
        }
        let connection = match self.connect(&mail, deadline).await {
            Ok(connection) => connection,
            Err(Connecting::Refused(reason)) => return Err(SendFailure::Refused(reason)),
            Err(Connecting::Broken(Broken::Reply(response))) => return Ok(*response),
            Err(Connecting::Broken(Broken::Lost(reason))) => return Err(SendFailure::NotSent(reason)),
        };
        pool.finish(carry(connection, &mail, deadline).await)
    }

    fn pool(&self, server: &MailServer) -> Arc<Pool> {
        let name = server.login.as_ref().map_or("", |(name, _)| name);
        // The password is no part of it: another one comes with another client.
        let key = format!("{:?} {name}", server.target);
        let mut pools = self.pools.lock();
        Arc::clone(pools.entry(key).or_insert_with(|| {
            Arc::new(Pool { permits: Semaphore::new(CONNECTIONS_MAX), idle: Mutex::default() })
        }))
    }

    async fn connect(&self, mail: &Mail, deadline: Instant) -> Result<AsyncSmtpConnection, Connecting> {
        let deadline = deadline.min(Instant::now() + ESTABLISH_MAX);
        let target = &mail.server.target;
        let lost = |reason: &str| Connecting::Broken(Broken::Lost(format!("{}: {reason}", target.host)));
        let found = timeout_at(deadline, self.addresses.of(&target.host)).await;
        let found = found.map_err(|_| lost("the name lookup takes too long"))?;
        let addresses = found.map_err(|error| match error {
            SendFailure::Refused(reason) => Connecting::Refused(reason),
            other => Connecting::Broken(Broken::Lost(other.to_string())),
        })?;
        let mut last = lost("no address");
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            let address = SocketAddr::new(address, target.port);
            match timeout_at(deadline, self.open(address, mail)).await {
                Ok(Ok(connection)) => return Ok(connection),
                // The server spoke: another address of it would say the same.
                Ok(Err(Broken::Reply(response))) => return Err(Connecting::Broken(Broken::Reply(response))),
                Ok(Err(Broken::Lost(reason))) => last = lost(&reason),
                Err(_elapsed) => return Err(lost("no connection in time")),
            }
        }
        Err(last)
    }

    /// Connects, encrypts and logs in.
    async fn open(&self, address: SocketAddr, mail: &Mail) -> Result<AsyncSmtpConnection, Broken> {
        let MailServer { target, login } = &*mail.server;
        let us = ClientId::Domain(mail.from.domain().to_owned());
        let at_greeting = |error: SmtpError| broken(SmtpStep::Greeting, &error);
        let tls = || self.tls(target.host.trim_matches(['[', ']'])).map_err(at_greeting);
        let wrapped = match target.security {
            SmtpSecurity::Tls => Some(tls()?),
            SmtpSecurity::StartTls | SmtpSecurity::Plain => None,
        };
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(ESTABLISH_MAX), &us, wrapped, None)
                .await
                .map_err(at_greeting)?;
        if target.security == SmtpSecurity::StartTls {
            if !connection.can_starttls() {
                farewell(connection).await;
                return Err(Broken::Lost(
                    "the server does not offer STARTTLS, and nothing goes without it".to_owned(),
                ));
            }
            connection.starttls(tls()?, &us).await.map_err(at_greeting)?;
        }
        if let Some((name, password)) = login {
            let credentials = Credentials::new(name.clone(), password.as_str().to_owned());
            if let Err(error) = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await {
                farewell(connection).await;
                // No mechanism in common has no reply of the server's: it is refused all the same.
                return Err(if error.is_client() {
                    Broken::Reply(Box::new(reply(SmtpStep::Login, 504, &error.to_string())))
                } else {
                    broken(SmtpStep::Login, &error)
                });
            }
        }
        Ok(connection)
    }

    /// The roots are compiled in, as for HTTP.
    fn tls(&self, host: &str) -> Result<TlsParameters, SmtpError> {
        let builder =
            TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
        self.trusted
            .iter()
            .fold(builder, |builder, certificate| builder.add_root_certificate(certificate.clone()))
            .build()
    }
}

enum Connecting {
    /// The guard does not allow the server.
    Refused(String),
    Broken(Broken),
}

/// A mail that was not taken.
struct Unfinished {
    broken: Broken,
    /// The server may have seen its end.
    is_sent: bool,
}

impl Pool {
    /// A connection that still answers.
    async fn take(&self, deadline: Instant) -> Option<AsyncSmtpConnection> {
        loop {
            let Idle { mut connection, since } = self.idle.lock().pop()?;
            if since.elapsed() < IDLE_MAX {
                let limit = deadline.min(Instant::now() + ALIVE_MAX);
                if timeout_at(limit, connection.test_connected()).await.unwrap_or(false) {
                    return Some(connection);
                }
            } else {
                farewell(connection).await;
            }
        }
    }

    /// Keeps the connection of a mail that was taken, for the next one.
    fn finish(
        &self,
        carried: Result<(AsyncSmtpConnection, WireResponse), Unfinished>,
    ) -> Result<WireResponse, SendFailure> {
        match carried {
            Ok((connection, response)) => {
                self.idle.lock().push(Idle { connection, since: Instant::now() });
                Ok(response)
            }
            Err(Unfinished { broken: Broken::Reply(response), .. }) => Ok(*response),
            Err(Unfinished { broken: Broken::Lost(reason), is_sent: false }) => {
                Err(SendFailure::NotSent(reason))
            }
            Err(Unfinished { broken: Broken::Lost(reason), is_sent: true }) => {
                Err(SendFailure::Ambiguous(reason))
            }
        }
    }
}

/// The steps of one mail on an open connection.
async fn carry(
    mut connection: AsyncSmtpConnection,
    mail: &Mail,
    deadline: Instant,
) -> Result<(AsyncSmtpConnection, WireResponse), Unfinished> {
    let before_the_end = async {
        let at = |step: SmtpStep| move |error: SmtpError| broken(step, &error);
        let mut parameters = Vec::new();
        let is_ascii = mail.from.to_string().is_ascii() && mail.to.to_string().is_ascii();
        if !is_ascii {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let text = "5.6.7 the server takes no addresses with other letters than ASCII";
                return Err(Broken::Reply(Box::new(reply(SmtpStep::Recipient, 553, text))));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let from = MailCommand::new(Some(mail.from.clone()), parameters);
        connection.command(from).await.map_err(at(SmtpStep::Sender))?;
        connection.command(Rcpt::new(mail.to.clone(), Vec::new())).await.map_err(at(SmtpStep::Recipient))?;
        connection.command(Data).await.map_err(at(SmtpStep::Message))?;
        Ok(())
    };
    match timeout_at(deadline, before_the_end).await {
        Ok(Ok(())) => {}
        Ok(Err(broken)) => {
            if matches!(broken, Broken::Reply(_)) {
                farewell(connection).await;
            }
            return Err(Unfinished { broken, is_sent: false });
        }
        Err(_elapsed) => {
            let broken = Broken::Lost("the mail server does not reply".to_owned());
            return Err(Unfinished { broken, is_sent: false });
        }
    }
    match timeout_at(deadline, connection.message(&mail.message)).await {
        Ok(Ok(response)) => {
            let text = response.message().collect::<Vec<_>>().join("\n");
            let status = u16::from(response.code());
            Ok((connection, reply(SmtpStep::Message, status, &text)))
        }
        Ok(Err(error)) => {
            let broken = broken(SmtpStep::Message, &error);
            if matches!(broken, Broken::Reply(_)) {
                farewell(connection).await;
            }
            Err(Unfinished { broken, is_sent: true })
        }
        Err(_elapsed) => {
            let broken = Broken::Lost("the mail server did not say whether it took the mail".to_owned());
            Err(Unfinished { broken, is_sent: true })
        }
    }
}

/// Closes a connection politely, but does not wait for it.
async fn farewell(mut connection: AsyncSmtpConnection) {
    drop(tokio::time::timeout(FAREWELL_MAX, connection.abort()).await);
}

fn broken(step: SmtpStep, error: &SmtpError) -> Broken {
    match error.status() {
        Some(code) => {
            let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            Broken::Reply(Box::new(reply(step, u16::from(code), &text)))
        }
        None => Broken::Lost(error.to_string()),
    }
}

fn reply(step: SmtpStep, status: u16, text: &str) -> WireResponse {
    let headers = HeaderMap::from_iter([(SMTP_STEP, HeaderValue::from_static(step.as_str()))]);
    WireResponse { status, headers, body: Bytes::from(text.to_owned()) }
}

/// The codec refuses such mail already; what may be taken for a command is looked at twice.
fn is_clean(message: &[u8]) -> bool {
    let bare = message.windows(2).any(|pair| matches!(pair, [b'\r', after] if *after != b'\n'))
        || message.windows(2).any(|pair| matches!(pair, [before, b'\n'] if *before != b'\r'));
    !bare && message.first() != Some(&b'\n') && message.last() != Some(&b'\r')
}

#[cfg(test)]
mod tests;
