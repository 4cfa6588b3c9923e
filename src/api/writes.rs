//! From a wish to its answer: one way for everything that changes something.
//!
//! Check that the caller sees the thing and holds the right; submit the command under the caller's
//! key; wait until it is durable; answer with the new state. What happened in between is decided by
//! the engine, which checks again. A wish that comes again under its key gets its first answer, even
//! when the caller has lost sight of the dialog since: that may be what the wish did. Where the first
//! answer is not remembered any more (see `first_answers`), it gets the present state instead.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::StatusCode;
use http::header::IF_MATCH;
use http::request::Parts;
use serde_json::json;

use crate::engine::fingerprint;
use crate::engine::rows::Archive;
use crate::model::command::{Action, Command};
use crate::model::dialog::Dialog;
use crate::model::entry::Cause;
use crate::model::id::DialogId;
use crate::model::input::Input;
use crate::model::outcome::{Outcome, Receipt, Rejection};
use crate::model::role::Scope;
use crate::node::Submission;
use crate::store::queries::dialogs;

use super::access::Needed;
use super::answers::{Id, Made, WithSeq};
use super::auth::Principal;
use super::dialog_shape::DialogShape;
use super::fields::Fields;
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// The longest `Idempotency-Key`, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// The headers of a write.
#[derive(Debug, Clone)]
pub(super) struct WriteHeaders {
    key: Option<String>,
    expected_version: Option<u64>,
}

impl<S: Sync> FromRequestParts<S> for WriteHeaders {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let invalid_key = || {
            Problem::bad_request(
                "invalid_idempotency_key",
                "`Idempotency-Key` must be given once and have 1 to 255 visible ASCII characters",
            )
        };
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None)
                if (1..=KEY_BYTES_MAX).contains(&key.len())
                    && key.as_bytes().iter().all(u8::is_ascii_graphic) =>
            {
                Some(key.to_str().map_err(|_| invalid_key())?.to_owned())
            }
            _ => return Err(invalid_key()),
        };
        let invalid_match = || {
            Problem::bad_request(
                "invalid_if_match",
                "`If-Match` must be the `ETag` of the dialog, such as \"42\", or *",
            )
        };
        let mut matches = parts.headers.get_all(IF_MATCH).iter();
        let expected_version = match (matches.next(), matches.next()) {
            (None, _) => None,
            (Some(value), None) if value == "*" => None,
            (Some(value), None) => {
                let tag = value.to_str().map_err(|_| invalid_match())?;
                let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                Some(version.and_then(|version| version.parse().ok()).ok_or_else(invalid_match)?)
            }
            _ => return Err(invalid_match()),
        };
        Ok(Self { key, expected_version })
    }
}

/// A wish that was fulfilled.
#[derive(Debug)]
pub(super) struct Done {
    /// The entry that did it.
    pub(super) seq: u64,
    /// What was done.
    pub(super) receipt: Receipt,
    /// Whether the same wish was fulfilled before.
    pub(super) repeated: bool,
}

/// A write in the making: who, with what headers.
pub(super) struct Write {
    /// The daemon.
    pub(super) api: Api,
    /// Who asks.
    pub(super) principal: Principal,
    /// Under which key.
    headers: WriteHeaders,
}

/// The request of a write about something that its path names (an [`Id`] or a name). A write has no
/// parameters in its query: any is refused.
pub(super) struct Writing<I> {
    /// Who asks, and the way to have it done.
    pub(super) write: Write,
    /// About what.
    pub(super) id: I,
    /// What is wished.
    pub(super) body: Fields,
}

/// The request of a write about a dialog.
pub(super) type DialogWriting = Writing<Id<DialogId>>;

impl<I: FromRequestParts<Api, Rejection = Problem> + Send> FromRequest<Api> for Writing<I> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        // Strangers learn nothing, not even whether what they ask is well written.
        let principal = Principal::from_request_parts(&mut parts, api).await?;
        let id = I::from_request_parts(&mut parts, api).await?;
        let headers = WriteHeaders::from_request_parts(&mut parts, api).await?;
        Parameters::from_request_parts(&mut parts, api).await?.finish()?;
        let body = Fields::from_request(Request::from_parts(parts, body), api).await?;
        Ok(Self { write: Write { api: api.clone(), principal, headers }, id, body })
    }
}

/// What the body of a wish points at, for errors: see [`Problem::rejected`].
pub(super) type FieldOf = fn(&Rejection) -> Option<&'static str>;

/// For wishes whose body names nothing.
pub(super) fn names_nothing(_: &Rejection) -> Option<&'static str> {
    None
}

impl Write {
    /// Does something to a dialog and answers with the dialog as it is then.
    ///
    /// # Errors
    /// The problem to answer with.
    pub(super) async fn change_dialog(
        &self,
        dialog: DialogId,
        needed: Needed,
        field: FieldOf,
        action: impl FnOnce(&Dialog) -> Result<Action, Problem>,
    ) -> Result<Response, Problem> {
        let done = self.on_dialog(dialog, needed, field, action).await?;
        self.answer_dialog(dialog, &done).await
    }

    /// Does something to a dialog. `action` makes the wish from the dialog as it is.
    ///
    /// # Errors
    /// The problem to answer with.
    pub(super) async fn on_dialog(
        &self,
        dialog: DialogId,
        needed: Needed,
        field: FieldOf,
        action: impl FnOnce(&Dialog) -> Result<Action, Problem>,
    ) -> Result<Done, Problem> {
        let row = self.api.read(move |store| dialogs::get(store, dialog)).await?;
        let row = row.ok_or_else(Problem::not_found)?;
        let scope = self.principal.scope(needed);
        let is_reached = scope.is_some_and(|scope| self.principal.reaches(scope, &row));
        if !is_reached && !self.principal.sees(&row) {
            // Whatever is wrong with the wish says nothing about a dialog that may not be seen.
            let action = action(&row).map_err(|_| Problem::not_found())?;
            let command = self.command(scope.unwrap_or(Scope::Own), action);
            return self.again(command, field).await;
        }
        let scope = scope.ok_or_else(|| Problem::forbidden(needed.name))?;
        // An operator whose right reaches their own dialogs learns from the engine whose it is; any
        // other right that does not reach this dialog is as good as none.
        if !is_reached && (scope >= Scope::Team || self.principal.operator().is_none()) {
            return Err(Problem::forbidden(needed.name));
        }
        let command = self.command(scope, action(&row)?);
        self.submit(command, field).await
    }

    /// The wish as the journal keeps it.
    pub(super) fn command(&self, scope: Scope, action: Action) -> Command {
        Command {
            actor: self.principal.actor(),
            scope,
            lines: self.principal.lines_reached(scope),
            expected_version: self.headers.expected_version,
            action,
        }
    }

    /// Fulfils a wish about something that the caller may not see, if it was fulfilled before.
    pub(super) async fn again(&self, command: Command, field: FieldOf) -> Result<Done, Problem> {
        if self.headers.key.is_none() {
            return Err(Problem::not_found());
        }
        let input_id = self.input_id()?;
        let known = self.api.read(move |store| {
            // What the archive cannot read, no other query can: the next one says why.
            Ok(store.known_input(&input_id).ok().flatten())
        });
        let asked = fingerprint(&command);
        if known.await?.is_none_or(|known| known.fingerprint != Some(asked)) {
            return Err(Problem::not_found());
        }
        self.submit(command, field).await
    }

    /// Submits a wish and waits until it is durable.
    pub(super) async fn submit(&self, command: Command, field: FieldOf) -> Result<Done, Problem> {
        let submission = Submission {
            input_id: self.input_id()?,
            cause: Cause::Token(self.principal.token().clone()),
            input: Input::Command(command),
        };
        let answer = self.api.shared.handle.submit(submission).await?;
        match answer.outcome {
            Outcome::Applied(receipt) => Ok(Done { seq: answer.seq, receipt, repeated: answer.repeated }),
            Outcome::Rejected(rejection) => Err(Problem::rejected(&rejection, field)),
        }
    }

    fn input_id(&self) -> Result<String, Problem> {
        let token = self.principal.token();
        match &self.headers.key {
            Some(key) => Ok(format!("api/{token}/{key}")),
            None => {
                let (high, low) = (random()?, random()?);
                Ok(format!("api/{token}/{high:016x}{low:016x}"))
            }
        }
    }

    /// Answers a write: with its first answer when the same wish comes again, otherwise with what `make`
    /// reads.
    ///
    /// # Errors
    /// When the state cannot be read. The write is done all the same; the same key gives its answer.
    pub(super) async fn answer(
        &self,
        done: &Done,
        make: impl Future<Output = Result<Made, Problem>>,
    ) -> Result<Response, Problem> {
        if self.headers.key.is_none() {
            return Ok(make.await?.into_response());
        }
        let input_id = self.input_id()?;
        let now_ms = self.api.shared.handle.now_ms();
        if let Some(first) = self.api.first_answers.get(&input_id, done.seq, now_ms) {
            return Ok(first.into_response());
        }
        let made = make.await?;
        if done.repeated {
            // The first answer is forgotten, or still on its way: that one is worth keeping.
            return Ok(made.into_response());
        }
        Ok(self.api.first_answers.keep(&input_id, done.seq, now_ms, made).into_response())
    }

    /// Answers with the dialog as it is after a write.
    ///
    /// # Errors
    /// When the store cannot be read. The write is done all the same; the same key gives its answer.
    pub(super) async fn answer_dialog(&self, dialog: DialogId, done: &Done) -> Result<Response, Problem> {
        let make = async {
            let row = self.api.read(move |store| dialogs::get(store, dialog)).await?;
            let row = row.ok_or_else(Problem::not_found)?;
            if done.repeated && !self.principal.sees(&row) {
                // What became of it since is not theirs to see.
                return Made::json(StatusCode::OK, &json!({"id": dialog, "seq": done.seq}));
            }
            let body = WithSeq { state: DialogShape::from(&row), seq: done.seq };
            Ok(Made::json(StatusCode::OK, &body)?.with_version(row.version))
        };
        self.answer(done, make).await
    }
}

fn random() -> Result<u64, Problem> {
    getrandom::u64().map_err(|error| Problem::internal(&error))
}
