//! The generic webhook: any system that posts JSON and takes JSON.
//!
//! Where things stand in its JSON is said by JSONPaths (`inbound.rs`), what it gets by a tree of
//! templates (`outbound.rs`), and its calls are signed over their raw bytes (`signature.rs`).

mod inbound;
mod outbound;
mod path;
mod signature;

use std::fmt;

use http::Method;
use serde_json::Value;

use crate::model::channel::{ChannelKind, WebhookSettings};
use crate::model::effect::{Attempt, Effect, EffectAction, Refusal};
use crate::model::id::ChannelId;

use self::inbound::Mapping;
use self::outbound::RequestTemplate;
use self::signature::SignatureKey;
use super::codec::{
    ButtonLimits, Capabilities, Channel, DecodeError, Decoded, EncodeError, Progress, Verdict, VerifyError,
};
use super::fault::{Fault, retry_after_ms};
use super::start::{ConnectError, ResolvedSecrets};
use super::text::{TextLimit, TextUnit};
use super::wire::{CallHead, SendFailure, WebhookAnswer, WebhookCall, WireRequest, WireResponse};

/// What this codec sends. The texts and buttons are bounded by the size of a request alone.
static CAPABILITIES: Capabilities = Capabilities {
    text: TextLimit { length: 32 * 1024, unit: TextUnit::Bytes },
    parts_max: 1,
    buttons: Some(ButtonLimits { count_max: 100, data_bytes_max: 1024 }),
    replies: false,
    acknowledges_buttons: false,
    files: super::files::FileRoute::None,
    edits: false,
    deletes: false,
    typing: false,
};

/// A connected system.
pub(super) struct Webhook {
    id: ChannelId,
    signature: SignatureKey,
    mapping: Mapping,
    /// `None`: it cannot be written to.
    template: Option<RequestTemplate>,
}

impl Webhook {
    /// Step 1.
    pub(super) fn connect(
        id: &ChannelId,
        settings: &WebhookSettings,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            id: id.clone(),
            signature: SignatureKey::connect(&settings.signature, secrets)?,
            mapping: Mapping::compile(&settings.inbound)?,
            template: settings
                .outbound
                .as_ref()
                .map(|outbound| RequestTemplate::compile(outbound, secrets))
                .transpose()?,
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Channel for Webhook {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Webhook
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// The signature is over the body: before that is read it can only be looked at for its form.
    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        head.require_method(&Method::POST)?;
        self.signature.given(head).map(drop)
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        call.head().require_method(&Method::POST)?;
        self.signature.verify(call)
    }

    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        let received = self.mapping.read(&self.id, call.body)?;
        Ok(Decoded { received, answer: WebhookAnswer::empty() })
    }

    fn encode(&self, effect: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        let outgoing = match &effect.action {
            EffectAction::Send(outgoing) => outgoing,
            EffectAction::AcknowledgeButton { .. } => return Err(not_carried("acknowledgements of buttons")),
            EffectAction::Notify(_) => return Err(not_carried("notifications")),
        };
        let template = self
            .template
            .as_ref()
            .ok_or(not_carried("messages without `outbound`: add it to the channel"))?;
        CAPABILITIES.parts(ChannelKind::Webhook, outgoing)?;
        if progress.parts_done > 0 {
            return Err(EncodeError::Complete);
        }
        template.render(effect, outgoing)
    }

    /// The `Idempotency-Key` of each request is the effect's id, so the receiver can tell another
    /// attempt from another message.
    fn classify(
        &self,
        _effect: &Effect,
        progress: &Progress,
        response: Result<&WireResponse, &SendFailure>,
    ) -> Verdict {
        let in_headers = self.template.iter().flat_map(RequestTemplate::secrets);
        let secrets: Vec<&str> = std::iter::once(self.signature.secret()).chain(in_headers).collect();
        let fault = Fault::new(progress, &secrets);
        let response = match response {
            Ok(response) => response,
            Err(failure) => return fault.no_answer(failure),
        };
        let error = || {
            let said = String::from_utf8_lossy(&response.body);
            format!("HTTP {}: {}", response.status, said.trim())
        };
        match response.status {
            200..=299 => {
                let external_id = self.template.as_ref().and_then(|template| {
                    template.message_id(&serde_json::from_slice::<Value>(&response.body).ok()?)
                });
                Verdict::Ended(Attempt::Delivered { external_id })
            }
            429 | 503 => fault.retry(retry_after_ms(&response.headers), &error()),
            408 | 425 | 500..=599 => fault.retry(None, &error()),
            410 => fault.refused(Refusal::Gone, &error()),
            300..=399 => fault.refused(
                Refusal::Permanent,
                &format!(
                    "HTTP {}: redirects are not followed: set `outbound.url` to the final address",
                    response.status
                ),
            ),
            400..=499 if says_window_closed(&response.body) => fault.refused(Refusal::WindowClosed, &error()),
            400..=499 => fault.refused(Refusal::Permanent, &error()),
            // Not a final answer of HTTP: what became of the request is unknown.
            _ => fault.ambiguous(&error()),
        }
    }
}

/// Whether the other system says that it takes no answers until the client writes again.
fn says_window_closed(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body)
        .is_ok_and(|said| said.get("code").and_then(Value::as_str) == Some("window_closed"))
}

fn not_carried(what: &'static str) -> EncodeError {
    EncodeError::NotCarried { kind: ChannelKind::Webhook.as_str(), what }
}
