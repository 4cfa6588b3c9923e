//! The request to a system: a tree of JSON whose texts are templates.
//!
//! A text that is exactly one `{{ expression }}` keeps the type of its value; any other text is
//! rendered as text. What clients write is data of a template and never its source.

use std::io;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value as TemplateValue, context};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::model::bounded_text::BoundedText;
use crate::model::channel::{OutboundHeader, WebhookOutbound};
use crate::model::effect::{Effect, Outgoing};

use super::path::{Path, scalar};
use crate::channels::codec::EncodeError;
use crate::channels::start::{ConnectError, ResolvedSecrets, http_address, required};
use crate::channels::wire::WireRequest;

/// The longest request body, in bytes. It holds any text that an operator writes, many times over.
const BODY_MAX: usize = 64 * 1024;

/// How many instructions one template may take. A loop over a hundred buttons takes some thousands.
const FUEL: u64 = 50_000;

/// The longest id of a message that we take from an answer, in bytes.
const MESSAGE_ID_MAX: usize = 512;

/// How deep a body may be. Deeper than this no settings file is read either.
const DEPTH_MAX: usize = 64;

/// The key by which a receiver tells another attempt from another message.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a template can use.
const VARIABLES: &str = "chat.external_id, chat.user, message.id, message.text, message.sender, message.buttons, dialog.id, effect.id";

/// Headers that we or the HTTP client set.
const RESERVED: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "idempotency-key"];

/// A compiled request.
pub(super) struct RequestTemplate {
    url: Uri,
    method: Method,
    headers: HeaderMap,
    body: Node,
    environment: Environment<'static>,
    message_id: Option<Path>,
    /// What no error text may repeat of the headers.
    secrets: Vec<Zeroizing<String>>,
}

/// A node of the body. Texts are compiled into the environment under their place.
enum Node {
    Fixed(Value),
    /// A text with templates in it.
    Text {
        place: String,
    },
    /// One expression, whose value keeps its type.
    Expression {
        place: String,
        source: String,
    },
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl RequestTemplate {
    pub(super) fn compile(
        settings: &WebhookOutbound,
        secrets: &dyn ResolvedSecrets,
    ) -> Result<Self, ConnectError> {
        let method = match settings.method.to_ascii_uppercase().as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            _ => return Err(refused("outbound.method", "only POST and PUT carry a body")),
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        let body = compile_node(&mut environment, "outbound.body", &settings.body, 0)?;
        let (headers, secrets) = headers(settings, secrets)?;
        let template = Self {
            url: http_address("outbound.url", &settings.url)?,
            method,
            headers,
            body,
            environment,
            message_id: Path::compile_optional("outbound.message_id", settings.message_id.as_ref())?,
            secrets,
        };
        template.rehearse()?;
        Ok(template)
    }

    /// The request that carries `outgoing`.
    pub(super) fn render(&self, effect: &Effect, outgoing: &Outgoing) -> Result<WireRequest, EncodeError> {
        let key = effect.id.to_string();
        let values = context! {
            chat => context! { external_id => outgoing.chat, user => outgoing.user },
            message => context! {
                id => outgoing.message.to_string(),
                text => outgoing.text,
                sender => outgoing.sender,
                buttons => outgoing.buttons,
            },
            dialog => context! { id => effect.dialog.to_string() },
            effect => context! { id => key },
        };
        let body = self.body(&values)?;
        let mut headers = self.headers.clone();
        if let Ok(value) = HeaderValue::from_str(&key) {
            headers.insert(IDEMPOTENCY_KEY, value);
        }
        Ok(WireRequest { method: self.method.clone(), url: self.url.clone(), headers, body })
    }

    /// The secrets in the headers.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.as_str())
    }

    /// The receiver's id of the message, from its answer.
    pub(super) fn message_id(&self, answer: &Value) -> Option<String> {
        let id = scalar(self.message_id.as_ref()?.first(answer)?)?;
        // What cannot be a key of the store is no id; the message arrived all the same.
        (id.len() <= MESSAGE_ID_MAX && !id.contains(char::is_control)).then_some(id)
    }

    fn body(&self, values: &TemplateValue) -> Result<Bytes, EncodeError> {
        let mut budget = BODY_MAX;
        let body = self.node(&self.body, values, &mut budget)?.to_string();
        // Quotation marks, keys and escapes count as well.
        if body.len() > BODY_MAX {
            Err(EncodeError::TooLarge { max: BODY_MAX })
        } else {
            Ok(Bytes::from(body))
        }
    }

    fn node(&self, node: &Node, values: &TemplateValue, budget: &mut usize) -> Result<Value, EncodeError> {
        match node {
            Node::Fixed(value) => Ok(value.clone()),
            Node::Text { place } => self.text(place, values, budget).map(Value::String),
            Node::Expression { place, source } => self.expression(place, source, values, budget),
            Node::List(items) => items.iter().map(|item| self.node(item, values, budget)).collect(),
            Node::Object(fields) => {
                let mut object = Map::new();
                for (key, field) in fields {
                    object.insert(key.clone(), self.node(field, values, budget)?);
                }
                Ok(Value::Object(object))
            }
        }
    }

    fn text(&self, place: &str, values: &TemplateValue, budget: &mut usize) -> Result<String, EncodeError> {
        let mut output = BoundedText::new(*budget);
        let rendered = self
            .environment
            .get_template(place)
            .and_then(|template| template.render_captured_to(values, &mut output).map(drop));
        if output.is_full() {
            return Err(EncodeError::TooLarge { max: BODY_MAX });
        }
        rendered.map_err(|error| failed(place, &error))?;
        *budget = output.left();
        Ok(output.into_text())
    }

    fn expression(
        &self,
        place: &str,
        source: &str,
        values: &TemplateValue,
        budget: &mut usize,
    ) -> Result<Value, EncodeError> {
        let value = self
            .environment
            .compile_expression(source)
            .and_then(|expression| expression.eval(values))
            .map_err(|error| failed(place, &error))?;
        if value.is_undefined() {
            return Err(failed(place, &minijinja::Error::from(ErrorKind::UndefinedError)));
        }
        let value = serde_json::to_value(&value)
            .map_err(|error| EncodeError::Template { place: place.to_owned(), reason: error.to_string() })?;
        *budget =
            budget.checked_sub(value.to_string().len()).ok_or(EncodeError::TooLarge { max: BODY_MAX })?;
        Ok(value)
    }

    /// Renders once with sample values: unknown variables, filters, tests and functions show only then.
    /// Other errors may be the sample's fault and wait for a real message.
    fn rehearse(&self) -> Result<(), ConnectError> {
        let sample = context! {
            chat => context! { external_id => "1", user => "1" },
            message => context! {
                id => "m-1",
                text => "1",
                sender => "1",
                buttons => [context! { title => "1", data => "1" }],
            },
            dialog => context! { id => "d-1" },
            effect => context! { id => "e-1" },
        };
        self.rehearse_node(&self.body, &sample)
    }

    fn rehearse_node(&self, node: &Node, sample: &TemplateValue) -> Result<(), ConnectError> {
        let (place, outcome) = match node {
            Node::Fixed(_) => return Ok(()),
            Node::List(items) => return items.iter().try_for_each(|item| self.rehearse_node(item, sample)),
            Node::Object(fields) => {
                return fields.iter().try_for_each(|(_, field)| self.rehearse_node(field, sample));
            }
            Node::Text { place } => (
                place,
                self.environment
                    .get_template(place)
                    .and_then(|template| template.render_captured_to(sample, io::sink()).map(drop)),
            ),
            Node::Expression { place, source } => {
                let value = self.environment.compile_expression(source).and_then(|it| it.eval(sample));
                let outcome = match value {
                    Ok(value) if value.is_undefined() => Err(ErrorKind::UndefinedError.into()),
                    other => other.map(drop),
                };
                (place, outcome)
            }
        };
        match outcome {
            Err(error) if is_mistake(&error) => Err(refused(place, &reason(&error))),
            _ => Ok(()),
        }
    }
}

/// Errors that no message can cure.
fn is_mistake(error: &minijinja::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UndefinedError
            | ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::TemplateNotFound
    )
}

fn compile_node(
    environment: &mut Environment<'static>,
    place: &str,
    value: &Value,
    depth: usize,
) -> Result<Node, ConnectError> {
    if depth > DEPTH_MAX {
        return Err(refused(place, "nested too deeply"));
    }
    let invalid = |error: minijinja::Error| refused(place, &reason(&error));
    match value {
        Value::String(text) => {
            if let Some(source) = sole_expression(text) {
                environment.compile_expression(source).map_err(invalid)?;
                return Ok(Node::Expression { place: place.to_owned(), source: source.to_owned() });
            }
            if !["{{", "{%", "{#"].into_iter().any(|mark| text.contains(mark)) {
                return Ok(Node::Fixed(value.clone()));
            }
            environment.add_template_owned(place.to_owned(), text.clone()).map_err(invalid)?;
            Ok(Node::Text { place: place.to_owned() })
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| compile_node(environment, &format!("{place}[{index}]"), item, depth + 1))
            .collect::<Result<_, _>>()
            .map(Node::List),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, field)| {
                let node = compile_node(environment, &below(place, key), field, depth + 1)?;
                Ok((key.clone(), node))
            })
            .collect::<Result<_, _>>()
            .map(Node::Object),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Node::Fixed(value.clone())),
    }
}

/// The place of a field. No two fields of a tree share one: templates are stored under it.
fn below(place: &str, key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if plain && !key.is_empty() { format!("{place}.{key}") } else { format!("{place}[{key:?}]") }
}

/// The expression of a text that is nothing but `{{ expression }}`.
fn sole_expression(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let plain = !["{{", "}}", "{%", "%}", "{#"].into_iter().any(|mark| inside.contains(mark))
        // White space control asks for a text.
        && !inside.starts_with('-')
        && !inside.ends_with('-');
    plain.then(|| inside.trim())
}

/// The headers, and the secrets in them.
fn headers(
    settings: &WebhookOutbound,
    secrets: &dyn ResolvedSecrets,
) -> Result<(HeaderMap, Vec<Zeroizing<String>>), ConnectError> {
    let mut headers = HeaderMap::new();
    let mut hidden = Vec::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &settings.headers {
        let setting = format!("outbound.headers.{name}");
        let parsed: HeaderName = name.parse().map_err(|_| refused(&setting, "not the name of a header"))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(refused(&setting, "this header is set by the daemon"));
        }
        // Refuses line breaks, which would begin another header.
        let value_of = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| refused(&setting, "the value must be one line of visible ASCII"))
        };
        let value = match value {
            OutboundHeader::Text(text) => value_of(text)?,
            OutboundHeader::Secret(reference) => {
                let secret = required(secrets, "outbound.headers", reference)?;
                let mut value = value_of(&secret)?;
                value.set_sensitive(true);
                // `Bearer TOKEN`: a receiver may repeat the token alone.
                if let Some((_, credentials)) = secret.split_once(' ') {
                    hidden.push(Zeroizing::new(credentials.trim().to_owned()));
                }
                // The whole first: cut the other way round, its beginning would stay behind.
                hidden.insert(0, secret);
                value
            }
        };
        headers.insert(parsed, value);
    }
    Ok((headers, hidden))
}

fn refused(setting: &str, reason: &str) -> ConnectError {
    ConnectError::Setting { setting: setting.to_owned(), reason: reason.to_owned() }
}

fn failed(place: &str, error: &minijinja::Error) -> EncodeError {
    EncodeError::Template { place: place.to_owned(), reason: reason(error) }
}

/// What minijinja says, in one line and without values: its full form would show the template's variables.
fn reason(error: &minijinja::Error) -> String {
    if error.kind() == ErrorKind::UndefinedError {
        return format!("a variable that does not exist; there are {VARIABLES}");
    }
    error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()))
}

#[cfg(test)]
mod tests;
