//! What each route takes and gives. `None` for a route that is not described: a test finds it.

use http::Method;
use serde_json::{Map, Value, json};

use super::super::parameters::LIMIT_MAX;
use super::super::problem::MEDIA_TYPE;
use super::super::routes::Route;
use super::bodies::{
    binary, change_example, changes, closed, first_message, limited_text, message_to_client, reply, target,
};
use super::parameters::{dialog_filters, event_filters, header, order, path_parameters, query};
use super::schemas::{
    self, delivery_states, flag, free, list, number, object, object_with, or_null, page_of, presences, shape,
    text, with_seq, words,
};
use super::{needs_token, writes};

/// One route.
pub(super) struct Operation {
    tag: &'static str,
    summary: &'static str,
    query: Vec<Value>,
    body: Option<Body>,
    status: u16,
    answer: Answer,
    /// Problems beyond those that every route of its kind has.
    problems: &'static [u16],
}

struct Body {
    media_type: &'static str,
    schema: Value,
    example: Value,
    is_needed: bool,
}

enum Answer {
    Json(Value),
    /// A page of a list, with a link to the next one.
    Page(Value),
    /// A dialog, with its version.
    Dialog(Value),
    Other(&'static str),
    /// A file.
    File,
    /// Nothing.
    Nothing,
}

/// How a route is described.
pub(super) fn of(method: &Method, path: &str) -> Option<Operation> {
    Some(match (method.as_str(), path) {
        ("GET" | "POST", "/webhooks/{channel}") => webhook(method),
        ("GET", "/v1/dialogs") => {
            get("dialogs", "Dialogs that may be seen.", Answer::Page(page_of("Dialog")))
                .query(dialog_filters())
                .pages()
        }
        ("GET", "/v1/dialogs/{id}") => get("dialogs", "A dialog.", Answer::Dialog(shape("Dialog"))),
        ("PATCH", "/v1/dialogs/{id}") => change_dialog("Changes priority, topic, tags, pause or own fields.")
            .body(changes(), change_example(), true),
        ("POST", "/v1/dialogs/{id}/accept") => change_dialog("Takes a dialog that is offered."),
        ("POST", "/v1/dialogs/{id}/decline") => change_dialog("Declines an offer."),
        ("POST", "/v1/dialogs/{id}/transfer") => {
            change_dialog("Gives a dialog to an operator, a team or a line.").body(
                object_with([("to", target())], [("comment", or_null(limited_text(4_000)))]),
                json!({"to": {"operator": "boris"}, "comment": "asks about the invoice"}),
                true,
            )
        }
        ("POST", "/v1/dialogs/{id}/requeue") => change_dialog("Puts a dialog back into its queue.").body(
            object_with([], [("reason", or_null(text()))]),
            json!({"reason": "asks for somebody else"}),
            false,
        ),
        ("POST", "/v1/dialogs/{id}/close") => change_dialog("Closes a dialog.").body(
            object_with([], [("reason", or_null(words(&["operator", "supervisor", "spam", "duplicate"])))]),
            json!({"reason": "spam"}),
            false,
        ),
        ("POST", "/v1/dialogs/{id}/spam") => change_dialog("Closes a dialog as spam."),
        ("POST", "/v1/dialogs/{id}/reopen") => change_dialog("Opens a dialog again."),
        ("POST", "/v1/dialogs/{id}/pause") => change_dialog("Pins a dialog: silence does not close it.")
            .body(
                object_with([], [("until", or_null(json!({"type": "string", "format": "date-time"})))]),
                json!({"until": "2026-03-06T09:00:00Z"}),
                false,
            ),
        ("POST", "/v1/dialogs/{id}/resume") => change_dialog("Ends a pause."),
        ("POST", "/v1/dialogs/{id}/take-over") => change_dialog("Takes a dialog from whoever has it."),
        ("POST", "/v1/dialogs/{id}/join") => change_dialog("Joins a dialog, without owning it."),
        ("POST", "/v1/dialogs/{id}/leave") => change_dialog("Leaves a dialog that was joined."),
        ("POST", "/v1/dialogs/{id}/supervisor-rating") => {
            let score = json!({"type": "integer", "minimum": 1, "maximum": 5});
            change_dialog("Rates the operator's work.").body(
                object_with([("score", score)], [("comment", or_null(limited_text(4_000)))]),
                json!({"score": 4, "comment": "clear, but slow"}),
                true,
            )
        }
        ("POST", "/v1/dialogs/{id}/typing") => {
            let about = "Shows the client that somebody is typing, where the messenger can.";
            write("messages", about, 204, Answer::Nothing)
        }
        ("POST", "/v1/attachments") => upload(),
        ("GET", "/v1/attachments/{id}") => {
            let mut file = get("messages", "The content of a file of a message.", Answer::File);
            file.problems = &[413, 502];
            file
        }
        ("GET", "/files/{token}") => {
            let about = "What an operator sends, for the messenger that fetches it by a signed link.";
            let mut file = get("messengers", about, Answer::Other("*/*"));
            file.problems = &[404, 503];
            file
        }
        ("POST", "/v1/chats") => {
            write("messages", "Writes to a client on a channel.", 201, Answer::Json(with_seq("Message")))
                .body(
                    message_to_client(),
                    json!({"channel": "shop-telegram", "client": "c-3", "text": "Your parcel is here."}),
                    true,
                )
        }
        ("POST", "/v1/chats/{id}/messages") => {
            write("messages", "Opens a dialog by writing first.", 201, Answer::Json(with_seq("Message")))
                .body(first_message(), json!({"text": "Your parcel is here."}), true)
        }
        ("GET", "/v1/dialogs/{id}/messages") => {
            get("messages", "Messages and notes.", Answer::Page(page_of("Message")))
                .query(vec![query("whole_chat", "Of the whole chat.", flag()), order()])
                .pages()
        }
        ("POST", "/v1/dialogs/{id}/messages") => {
            write("messages", "Writes to the client.", 201, Answer::Json(with_seq("Message"))).body(
                reply(),
                json!({"text": "Which one?", "buttons": [{"title": "The red one", "data": "red"}]}),
                true,
            )
        }
        ("POST", "/v1/dialogs/{id}/notes") => {
            write("messages", "Writes a note.", 201, Answer::Json(with_seq("Message"))).body(
                object([("text", limited_text(20_000))]),
                json!({"text": "calls back at noon"}),
                true,
            )
        }
        ("GET", "/v1/dialogs/{id}/timeline") => {
            get("dialogs", "Everything that happened, in order.", Answer::Page(page_of("TimelineItem")))
                .query(vec![order()])
                .pages()
        }
        ("GET", "/v1/dialogs/{id}/explain") => {
            get("dialogs", "Why it happened: decisions.", Answer::Page(page_of("Decision"))).pages()
        }
        ("GET", "/v1/explain/{id}") => get(
            "dialogs",
            "What the id of a dialog, message, offer or event stands for.",
            Answer::Json(subject()),
        ),
        ("GET", "/v1/operators") => {
            get("operators", "Operators, with their load.", Answer::Page(page_of("Operator"))).pages()
        }
        ("PUT", "/v1/operators/{id}/presence") => {
            write("operators", "Sets a presence.", 200, Answer::Json(with_seq("Operator"))).body(
                object([("status", presences())]),
                json!({"status": "online"}),
                true,
            )
        }
        ("GET", "/v1/lines") => get("lines", "Lines.", Answer::Page(page_of("Line"))).pages(),
        ("GET", "/v1/lines/{id}/queue") => get("lines", "Who waits, and why.", Answer::Page(queue())).pages(),
        ("GET", "/v1/deliveries") => {
            get("deliveries", "What is on its way outside.", Answer::Page(page_of("Delivery")))
                .query(vec![
                    query("state", "In this state.", delivery_states()),
                    query("dialog", "Of this dialog.", text()),
                    query("channel", "Through this channel.", text()),
                ])
                .pages()
        }
        ("GET", "/v1/deliveries/{id}") => get("deliveries", "A delivery.", Answer::Json(shape("Delivery"))),
        ("POST", "/v1/deliveries/{id}/retry") => {
            write("deliveries", "Tries once more.", 200, Answer::Json(with_seq("Delivery")))
        }
        ("POST", "/v1/deliveries/{id}/cancel") => {
            write("deliveries", "Gives up.", 200, Answer::Json(with_seq("Delivery")))
        }
        ("GET", "/v1/clients/{id}") => get("clients", "A client.", Answer::Json(shape("Client"))),
        ("GET", "/v1/config") => {
            get("configuration", "What is live, and the last attempt.", Answer::Json(shape("Config")))
        }
        ("POST", "/v1/config/reload") => {
            write("configuration", "Loads the files.", 200, Answer::Json(shape("ConfigAttempt")))
        }
        ("GET", "/v1/events") => {
            get("events", "Events as they happen.", Answer::Other("text/event-stream")).query(event_filters())
        }
        ("GET", "/healthz") => {
            get("daemon", "The process answers.", Answer::Json(object([("status", text())])))
        }
        ("GET", "/readyz") => {
            let mut ready = get("daemon", "Inputs can be taken in.", Answer::Json(readiness()));
            ready.problems = &[503];
            ready
        }
        ("GET", "/metrics") => get("daemon", "Metrics.", Answer::Other("application/openmetrics-text")),
        ("GET", "/openapi.json") => get("daemon", "This document.", Answer::Json(free())),
        ("GET", "/docs") => get("daemon", "This document, for people.", Answer::Other("text/html")),
        _ => return None,
    })
}

fn get(tag: &'static str, summary: &'static str, answer: Answer) -> Operation {
    Operation { tag, summary, query: Vec::new(), body: None, status: 200, answer, problems: &[] }
}

fn write(tag: &'static str, summary: &'static str, status: u16, answer: Answer) -> Operation {
    // A body is optional everywhere: one without members is none.
    Operation { status, ..get(tag, summary, answer) }.body(object([]), json!({}), false)
}

fn change_dialog(summary: &'static str) -> Operation {
    write("dialogs", summary, 200, Answer::Dialog(with_seq("Dialog")))
}

fn upload() -> Operation {
    let answer = object([
        ("id", text()),
        ("kind", words(&["image", "video", "audio", "document"])),
        ("name", text()),
        ("media_type", text()),
        ("size", number()),
    ]);
    let mut upload = get("messages", "Takes a file that is to be sent.", Answer::Json(answer));
    upload.status = 201;
    upload.body = Some(Body { media_type: "*/*", schema: binary(), example: Value::Null, is_needed: true });
    upload.query(vec![query("name", "The name of the file.", limited_text(256))])
}

fn webhook(method: &Method) -> Operation {
    let summary = "Takes a call of a messenger in, in its own form and with its own proof.";
    let mut call = get("messengers", summary, Answer::Other("*/*"));
    call.problems = &[401, 404, 405, 408, 413, 503];
    if writes(method) { call.body(json!({}), json!({"update_id": 1}), true) } else { call }
}

impl Operation {
    fn query(mut self, parameters: Vec<Value>) -> Self {
        self.query.extend(parameters);
        self
    }

    fn pages(self) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX});
        self.query(vec![
            query("limit", "How many items at most.", limit),
            query("cursor", "The `next_cursor` of the page before.", text()),
        ])
    }

    fn body(mut self, schema: Value, example: Value, is_needed: bool) -> Self {
        self.body = Some(Body { media_type: "application/json", schema, example, is_needed });
        self
    }

    /// The operation of the document.
    pub(super) fn describe(self, route: &Route) -> Value {
        let has_token = needs_token(route.access);
        let is_write = has_token && writes(&route.method);
        let mut parameters: Vec<Value> = path_parameters(route.path).chain(self.query).collect();
        // These are the same however often they are asked for: they take no key.
        let is_repeatable =
            matches!(route.path, "/v1/config/reload" | "/v1/attachments" | "/v1/dialogs/{id}/typing");
        if is_write && !is_repeatable {
            let key = "Makes the write safe to repeat: the same key gives the first answer again.";
            let schema = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"});
            parameters.push(header("Idempotency-Key", key, schema));
            if route.path.starts_with("/v1/dialogs/") {
                let text = "Only at this version of the dialog: its `ETag`, or `*`.";
                let schema = json!({"type": "string", "pattern": "^(\\*|\"[0-9]+\")$"});
                parameters.push(header("If-Match", text, schema));
            }
        }
        let mut operation = json!({
            "tags": [self.tag],
            "summary": self.summary,
            "operationId": operation_id(route),
            "parameters": parameters,
            "responses": responses(route, self.status, self.answer, self.problems),
        });
        if let Some(members) = operation.as_object_mut() {
            if has_token {
                members.insert("security".to_owned(), json!([{"token": []}]));
            }
            if let Some(Body { media_type, schema, example, is_needed }) = self.body {
                let mut content = json!({"schema": closed(schema)});
                if let Some(members) = content.as_object_mut().filter(|_| !example.is_null()) {
                    members.insert("example".to_owned(), example);
                }
                let content = json!({media_type: content});
                members.insert("requestBody".to_owned(), json!({"required": is_needed, "content": content}));
            }
        }
        operation
    }
}

fn responses(route: &Route, status: u16, answer: Answer, further: &[u16]) -> Value {
    let mut all = Map::new();
    all.insert(status.to_string(), good(answer));
    let has_token = needs_token(route.access);
    let is_write = has_token && writes(&route.method);
    let of_token: &[u16] = if has_token { &[401, 403, 429, 503] } else { &[] };
    let of_path: &[u16] = if has_token && route.path.contains('{') { &[404] } else { &[] };
    let of_write: &[u16] = if is_write { &[408, 409, 413, 415, 422] } else { &[] };
    let always: &[u16] = &[400, 500];
    for status in [always, of_token, of_path, of_write, further].into_iter().flatten() {
        all.entry(status.to_string()).or_insert_with(|| problem(*status, route.path));
    }
    all.into()
}

fn good(answer: Answer) -> Value {
    let request_id = ("X-Request-Id", "The id under which the log has the request.");
    let link = ("Link", "The address of the next page (`rel=\"next\"`), if there is one.");
    let file_name = ("Content-Disposition", "`attachment` with the name of the file.");
    let version = ("ETag", "The version of the dialog, for `If-Match`.");
    let (media_type, schema, headers) = match answer {
        Answer::Json(schema) => ("application/json", schema, vec![request_id]),
        Answer::Page(schema) => ("application/json", schema, vec![request_id, link]),
        Answer::Dialog(schema) => ("application/json", schema, vec![request_id, version]),
        Answer::Other(media_type) => (media_type, text(), vec![request_id]),
        Answer::File => ("application/octet-stream", binary(), vec![request_id, file_name]),
        Answer::Nothing => ("", Value::Null, vec![request_id]),
    };
    let headers: Map<String, Value> = headers
        .into_iter()
        .map(|(name, about)| (name.to_owned(), json!({"description": about, "schema": text()})))
        .collect();
    if schema.is_null() {
        return json!({"description": "Done.", "headers": headers});
    }
    json!({"description": "Done.", "headers": headers, "content": {media_type: {"schema": schema}}})
}

fn problem(status: u16, path: &str) -> Value {
    let about = match status {
        400 => "The request cannot be understood, or has a parameter that is unknown or wrong.",
        401 => "There is no valid token, or for a messenger no valid proof.",
        403 => "The role of the token does not grant this.",
        404 => "It does not exist, or may not be seen.",
        405 => "The messenger does not use this method.",
        408 => "The body did not arrive in time.",
        409 => "It is not possible as things are now; the problem says how they are.",
        413 => "The body, or the file, is too large.",
        415 => "The body is not of a media type that is taken here.",
        422 => "The body, or what it asks for, is wrong; see `errors`.",
        429 => "The token asks too often.",
        502 => "The messenger says no.",
        503 => "Not at present: come again.",
        _ => "A mistake of ours; the log has it under the request id.",
    };
    let (media_type, schema) = if path == "/readyz" && status == 503 {
        ("application/json", readiness())
    } else {
        (MEDIA_TYPE, shape("Problem"))
    };
    let content = json!({media_type: {"schema": schema}});
    if matches!(status, 429 | 503) {
        let headers = json!({"Retry-After": {"description": "Seconds to wait.", "schema": number()}});
        return json!({"description": about, "headers": headers, "content": content});
    }
    json!({"description": about, "content": content})
}

/// `get_dialogs_id_messages`: unique, and stable as long as the path is.
fn operation_id(route: &Route) -> String {
    let mut id = route.method.as_str().to_ascii_lowercase();
    for part in route.path.split(['/', '{', '}', '.']).filter(|part| !part.is_empty() && *part != "v1") {
        id.push('_');
        id.push_str(part);
    }
    id
}

fn queue() -> Value {
    object([
        ("line", text()),
        ("total", number()),
        ("items", list(shape("Waiting"))),
        ("next_cursor", or_null(text())),
    ])
}

/// What an id stands for.
fn subject() -> Value {
    object([
        ("kind", words(&["dialog", "message", "offer", "event"])),
        ("seq", number()),
        ("dialog", or_null(text())),
        ("events", list(shape("Event"))),
    ])
}

fn readiness() -> Value {
    schemas::object_with(
        [("status", words(&["ready", "not_ready"])), ("reason", or_null(text()))],
        [
            ("config", or_null(text())),
            ("applied_seq", number()),
            ("stored_seq", number()),
            ("not_connected", list(text())),
        ],
    )
}
