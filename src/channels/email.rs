//! E-mail: raw mail comes in by webhook, answers go out by SMTP.
//!
//! Sources: RFC 5322 and 2045 (mail), 3834 (automatic answers), 3464 (reports of delivery), 3676 (flowing text),
//! 5321 and 3463 (SMTP and its codes). The codec remembers nothing: an answer finds its conversation by what we
//! signed (`thread.rs`), and what it must repeat travels with the chat (`context.rs`).

mod automatic;
mod body;
mod context;
mod html;
mod inbound;
mod letter;
mod quotes;
mod replies;
mod report;
mod thread;

use std::fmt;
use std::sync::Arc;

use http::{HeaderName, Method};
use lettre::Address;
use zeroize::Zeroizing;

use crate::model::channel::{ChannelKind, EmailSettings, SmtpSettings};
use crate::model::effect::{Effect, EffectAction};
use crate::model::id::ChannelId;
use crate::model::mail::{SmtpSecurity, SmtpTarget, parts_of_address};

use super::codec::{
    ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, Progress, Verdict, VerifyError,
};
use super::fault::Fault;
use super::files::{FetchError, FileBytes, FileRoute};
use super::start::{ConnectError, ResolvedSecrets, required};
use super::text::{TextLimit, TextUnit};
use super::wire::{
    CallHead, MailServer, Outbound, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse,
};
use crate::model::message::Attachment;

use letter::Sender;
use thread::Threads;

/// Carries the secret of whoever brings mail.
pub(super) const SECRET_HEADER: HeaderName = HeaderName::from_static("x-switchboard-secret");

/// The shortest secret: strangers see what it signs, and could try short ones out at home.
const SECRET_MIN: usize = 16;

/// The longest secret.
const SECRET_MAX: usize = 256;

/// The largest mail, in bytes: what most servers take.
pub(super) const MAIL_BYTES_MAX: usize = 25 * 1024 * 1024;

/// The longest name beside the address, in characters.
const NAME_MAX: usize = 128;

/// What this codec sends.
static CAPABILITIES: Capabilities = Capabilities {
    // No server cares; longer than this nobody writes by hand.
    text: TextLimit { length: 128 * 1024, unit: TextUnit::Bytes },
    parts_max: 1,
    // As lines of text.
    buttons: Some(ButtonLimits { count_max: 100, data_bytes_max: 1024 }),
    replies: true,
    acknowledges_buttons: false,
    files: FileRoute::Bytes,
    edits: false,
    deletes: false,
    typing: false,
};

/// A connected mailbox.
pub(super) struct Email {
    id: ChannelId,
    /// In lower case.
    own: String,
    webhook_secret: Zeroizing<String>,
    threads: Threads,
    sender: Sender,
    server: Option<Arc<MailServer>>,
}

impl Email {
    /// Step 1.
    pub(super) fn connect(
        id: &ChannelId,
        settings: &EmailSettings,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let webhook_secret = required(secrets, "webhook_secret", &settings.webhook_secret)?;
        if !(SECRET_MIN..=SECRET_MAX).contains(&webhook_secret.len())
            || !webhook_secret.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(ConnectError::Secret {
                setting: "webhook_secret",
                fault: "must be 16 to 256 visible ASCII characters without blanks: `openssl rand -hex 32` makes one",
            });
        }
        let own = settings.address.to_lowercase();
        let no_address = || refused("address", "not a mail address; write it as sales@shop.example");
        let (_, domain) = parts_of_address(&own).filter(|_| own.is_ascii()).ok_or_else(no_address)?;
        let threads = Threads::new(id, &webhook_secret, domain);
        let address: Address = own.parse().map_err(|_| no_address())?;
        let name = settings.name.clone().filter(|name| !name.trim().is_empty());
        if name
            .as_deref()
            .is_some_and(|name| name.contains(char::is_control) || name.chars().count() > NAME_MAX)
        {
            return Err(refused("name", "must be one line of at most 128 characters"));
        }
        let server = settings.smtp.as_ref().map(|smtp| connect_server(smtp, secrets)).transpose()?;
        Ok(Self {
            id: id.clone(),
            own,
            webhook_secret,
            threads,
            sender: Sender { address, name },
            server: server.map(Arc::new),
        })
    }
}

fn refused(setting: &str, reason: &str) -> ConnectError {
    ConnectError::Setting { setting: setting.to_owned(), reason: reason.to_owned() }
}

fn connect_server(smtp: &SmtpSettings, secrets: &dyn ResolvedSecrets) -> Result<MailServer, ConnectError> {
    let target = SmtpTarget::parse(&smtp.url).map_err(|reason| refused("smtp.url", reason))?;
    let login = match (&smtp.username, &smtp.password) {
        (Some(_), Some(_)) if target.security == SmtpSecurity::Plain => {
            return Err(refused(
                "smtp.password",
                "would go over the wire as plain text: use smtps:// or smtp://",
            ));
        }
        (Some(name), Some(password)) => Some((name.clone(), required(secrets, "smtp.password", password)?)),
        (None, None) => None,
        (Some(_), None) => return Err(refused("smtp.username", "is of no use without `password`")),
        (None, Some(_)) => return Err(refused("smtp.password", "is of no use without `username`")),
    };
    Ok(MailServer { target, login })
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Channel for Email {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn call_bytes_max(&self) -> usize {
        MAIL_BYTES_MAX
    }

    /// The secret stands in a header: this is the whole proof.
    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        head.require_method(&Method::POST)?;
        head.require_secret(&SECRET_HEADER, &self.webhook_secret)
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        self.verify_head(&call.head())
    }

    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        let reader = inbound::Reader { channel: &self.id, own: &self.own, threads: &self.threads };
        Ok(Decoded { received: vec![reader.read(call.body)], answer: WebhookAnswer::empty() })
    }

    fn enclosed(&self, call: &WebhookCall<'_>) -> Vec<(String, FileBytes)> {
        inbound::files(call.body)
    }

    /// Nothing goes by HTTP.
    fn encode(&self, _effect: &Effect, _progress: &Progress) -> Result<WireRequest, EncodeError> {
        Err(not_carried("HTTP requests"))
    }

    fn outbound(&self, effect: &Effect, progress: &Progress) -> Result<Outbound, EncodeError> {
        let outgoing = match &effect.action {
            EffectAction::Send(outgoing) => outgoing,
            EffectAction::AcknowledgeButton { .. } => return Err(not_carried("presses of buttons")),
            EffectAction::Notify(_) => return Err(not_carried("notifications")),
        };
        let server = self.server.as_ref().ok_or_else(|| not_carried("answers while they have no `smtp`"))?;
        letter::write(server, &self.sender, &self.threads, effect, outgoing, progress).map(Outbound::Mail)
    }

    /// A mail whose acceptance was never heard of is ambiguous. When it is tried again it has the same `Message-ID`, by
    /// which many servers leave out the second one.
    fn classify(
        &self,
        effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let password = self.server.as_ref().and_then(|server| server.login.as_ref());
        let secrets = [self.webhook_secret.as_str(), password.map_or("", |(_, password)| password.as_str())];
        let fault = Fault::new(progress, &secrets);
        match response {
            Ok(response) => replies::read(fault, response, || match &effect.action {
                EffectAction::Send(outgoing) => Some(self.threads.message_id(effect, &outgoing.chat)),
                EffectAction::AcknowledgeButton { .. } | EffectAction::Notify(_) => None,
            }),
            Err(failure) => fault.no_answer(failure),
        }
    }

    /// The files of a mail come within it (see [`Channel::enclosed`]) and nowhere else.
    fn fetch(&self, _attachment: &Attachment, _prepared: &[String]) -> Result<WireRequest, FetchError> {
        Err(FetchError::Gone)
    }
}

fn not_carried(what: &'static str) -> EncodeError {
    EncodeError::NotCarried { kind: ChannelKind::Email.as_str(), what }
}

#[cfg(test)]
mod tests;
