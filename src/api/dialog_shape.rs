//! A dialog as the API shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::model::dialog::{CloseReason, Dialog, DialogState, Missed};
use crate::model::id::{ChannelId, ChatId, ClientId, DialogId, LineId, MessageId, OfferId, OperatorId};
use crate::model::id::{TeamId, TopicId};
use crate::model::line::RatingScale;
use crate::model::message::Direction;
use crate::model::sla::{SlaState, SlaTarget};

use super::message_shape::AuthorShape;
use super::time::Time;

/// A dialog.
#[derive(Debug, Serialize)]
pub(super) struct DialogShape<'a> {
    id: DialogId,
    line: &'a LineId,
    channel: &'a ChannelId,
    chat: ChatShape<'a>,
    client: ClientShape<'a>,
    state: DialogState,
    owner: Option<&'a OperatorId>,
    team: Option<&'a TeamId>,
    topic: Option<&'a TopicId>,
    priority: i32,
    tags: &'a BTreeSet<String>,
    opened_at: Time,
    queued_at: Time,
    accepted_at: Option<Time>,
    first_response_at: Option<Time>,
    closed_at: Option<Time>,
    close_reason: Option<CloseReason>,
    /// How the client was left without a person's answer.
    missed: Option<Missed>,
    offers: Vec<OfferShape<'a>>,
    last_message: Option<LastMessageShape<'a>>,
    unread: u32,
    messages: u32,
    custom: &'a BTreeMap<String, Value>,
    /// How the client came to it.
    source: Option<&'a str>,
    reopened: u32,
    paused: Option<PauseShape>,
    /// Whether the messenger takes no answers any more until the client writes.
    window_closed: bool,
    joined: &'a BTreeSet<OperatorId>,
    rating: Option<RatingShape<'a>>,
    supervisor_rating: Option<SupervisorRatingShape<'a>>,
    /// When it should be answered or accepted at the latest.
    sla_deadline: Option<Time>,
    sla: Vec<SlaShape>,
    updated_at: Time,
    version: u64,
}

#[derive(Debug, Serialize)]
struct PauseShape {
    since: Time,
    until: Time,
}

#[derive(Debug, Serialize)]
struct RatingShape<'a> {
    scale: RatingScale,
    asked_at: Time,
    /// Until when a vote replaces an earlier one.
    until: Time,
    operator: Option<&'a OperatorId>,
    score: Option<u8>,
    rated_at: Option<Time>,
}

#[derive(Debug, Serialize)]
struct SupervisorRatingShape<'a> {
    score: u8,
    comment: Option<&'a str>,
    by: AuthorShape<'a>,
    at: Time,
}

#[derive(Debug, Serialize)]
struct ChatShape<'a> {
    id: ChatId,
    external_id: &'a str,
}

#[derive(Debug, Serialize)]
struct ClientShape<'a> {
    id: ClientId,
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OfferShape<'a> {
    id: OfferId,
    operator: &'a OperatorId,
    offered_at: Time,
    expires_at: Option<Time>,
}

#[derive(Debug, Serialize)]
struct SlaShape {
    target: SlaTarget,
    state: &'static str,
    target_seconds: u64,
    started_at: Time,
    due_at: Option<Time>,
    breached_at: Option<Time>,
    stopped_at: Option<Time>,
}

#[derive(Debug, Serialize)]
struct LastMessageShape<'a> {
    id: MessageId,
    direction: Direction,
    author: AuthorShape<'a>,
    text: &'a str,
    at: Time,
}

impl SlaShape {
    fn of(target: SlaTarget, clock: &SlaState) -> Self {
        Self {
            target,
            state: clock.word(),
            target_seconds: clock.target_ms / 1000,
            started_at: Time(clock.started_at_ms),
            due_at: clock.due_at_ms.map(Time),
            breached_at: clock.breached_at_ms.map(Time),
            stopped_at: clock.stopped_at_ms.map(Time),
        }
    }
}

impl<'a> From<&'a Dialog> for DialogShape<'a> {
    fn from(dialog: &'a Dialog) -> Self {
        let offers = dialog.offers.iter().map(|offer| OfferShape {
            id: offer.id,
            operator: &offer.operator,
            offered_at: Time(offer.offered_at_ms),
            expires_at: offer.expires_at_ms.map(Time),
        });
        let life = &dialog.life;
        let last_message = dialog.last_message.as_ref().map(|last| LastMessageShape {
            id: last.id,
            direction: last.direction,
            author: AuthorShape::from(&last.author),
            text: &last.text,
            at: Time(last.at_ms),
        });
        Self {
            id: dialog.id,
            line: &dialog.line,
            channel: &dialog.channel,
            chat: ChatShape { id: dialog.chat, external_id: &dialog.external_chat },
            client: ClientShape { id: dialog.client, name: dialog.client_name.as_deref() },
            state: dialog.state,
            owner: dialog.owner.as_ref(),
            team: dialog.team.as_ref(),
            topic: dialog.topic.as_ref(),
            priority: dialog.priority,
            tags: &dialog.tags,
            opened_at: Time(dialog.opened_at_ms),
            queued_at: Time(dialog.queued_at_ms),
            accepted_at: dialog.accepted_at_ms.map(Time),
            first_response_at: dialog.first_response_at_ms.map(Time),
            closed_at: dialog.closed_at_ms.map(Time),
            close_reason: dialog.close_reason,
            missed: dialog.missed(),
            offers: offers.collect(),
            last_message,
            unread: dialog.unread,
            messages: dialog.messages,
            custom: &dialog.custom,
            source: dialog.source.as_deref(),
            reopened: life.reopened,
            paused: life
                .paused
                .as_ref()
                .map(|pause| PauseShape { since: Time(pause.since_ms), until: Time(pause.until_ms) }),
            window_closed: life.window_closed_at_ms.is_some(),
            joined: &life.joined,
            rating: life.rating.as_ref().map(|rating| RatingShape {
                scale: rating.scale,
                asked_at: Time(rating.asked_at_ms),
                until: Time(rating.until_ms),
                operator: rating.operator.as_ref(),
                score: rating.vote.as_ref().map(|vote| vote.score),
                rated_at: rating.vote.as_ref().map(|vote| Time(vote.at_ms)),
            }),
            supervisor_rating: life.supervisor_rating.as_ref().map(|rating| SupervisorRatingShape {
                score: rating.score,
                comment: rating.comment.as_deref(),
                by: AuthorShape::from(&rating.by),
                at: Time(rating.at_ms),
            }),
            sla_deadline: dialog.route.deadline_ms.map(Time),
            sla: dialog.sla.0.iter().map(|(target, clock)| SlaShape::of(*target, clock)).collect(),
            updated_at: Time(dialog.updated_at_ms),
            version: dialog.version,
        }
    }
}
