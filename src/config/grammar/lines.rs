//! `lines.yaml`: calendars and open lines.

use super::shape::{AMOUNT, DURATION, Field, PERCENT, PERIOD, PRIORITY, Shape};
use super::walk::Walk;
use crate::config::check::{calendars, conditions, life};
use crate::config::link::Name;
use crate::config::scalar;
use crate::config::tree::Node;

/// The keys of the file.
pub const FILE: &[Field] = &[
    Field::optional("version", Shape::Any),
    Field::optional("calendars", Shape::Named(&Shape::Check(calendars::calendar))),
    Field::required("lines", Shape::Named(&Shape::Mapping(LINE))),
];

/// The keys of a calendar.
pub const CALENDAR: &[Field] = &[
    Field::required("timezone", Shape::Check(calendars::timezone)),
    Field::required("week", Shape::Table(&Shape::List(&INTERVAL))),
    Field::optional("closed", Shape::List(&DAY)),
    Field::optional("open", Shape::Table(&Shape::List(&INTERVAL))),
];

const INTERVAL: Shape = Shape::Scalar(|text| scalar::interval(text).map(drop));
/// Days of a calendar.
const DAY: Shape = Shape::Scalar(|text| {
    text.parse::<crate::model::calendar::Day>().map(drop).map_err(|_| scalar::Unfit {
        expected: "a day that exists, such as \"2026-12-31\", or \"12-31\" (month and day) for each year"
            .to_owned(),
    })
});

/// The keys of a line.
pub const LINE: &[Field] = &[
    Field::optional("name", Shape::Text),
    Field::optional("language", Shape::Text),
    Field::optional("calendar", Shape::Reference(Name::Calendar)),
    Field::later("default_region", Shape::Text),
    Field::optional("routing", Shape::Mapping(ROUTING)),
    Field::optional("priority", Shape::Mapping(PRIORITIES)),
    Field::optional("texts", Shape::Mapping(TEXTS)),
    Field::optional("silence", Shape::Check(life::silence)),
    Field::optional("closing", Shape::Mapping(CLOSING)),
    Field::optional("rating", Shape::Mapping(RATING)),
    Field::optional("sla", Shape::List(&Shape::Mapping(SLA))),
    Field::later("scenario", Shape::Mapping(SCENARIO)),
    Field::later("crm", Shape::Mapping(CRM)),
    Field::optional("operator_identity", IDENTITY),
];

/// An operator, or all operators of a team.
const MEMBER: Shape = Shape::ScalarOr(
    &Shape::Reference(Name::Operator),
    &Shape::OneOf(&[
        Field::optional("operator", Shape::Reference(Name::Operator)),
        Field::optional("team", Shape::Reference(Name::Team)),
    ]),
);
const MEMBERS: Shape = Shape::List(&MEMBER);
const TEMPLATE: Shape = Shape::Reference(Name::Template);

const ROUTING: &[Field] = &[
    Field::optional("strategy", Shape::Word(&["in_order", "round_robin", "least_loaded", "broadcast"])),
    Field::optional("operators", MEMBERS),
    Field::optional("offer_timeout", DURATION),
    Field::optional("require_presence", Shape::Boolean),
    Field::optional("capacity", Shape::Mapping(CAPACITY)),
    Field::optional("max_rounds", Shape::Integer(1, 1_000)),
    Field::optional("max_missed", Shape::Integer(1, 1_000)),
    Field::optional("max_offers_on_return", Shape::Integer(1, 1_000)),
    Field::optional("sticky", Shape::Mapping(STICKY)),
    Field::optional("topics", Shape::List(&Shape::Mapping(TOPIC))),
    Field::optional("overflow", Shape::List(&Shape::Mapping(OVERFLOW))),
    Field::optional("otherwise", Shape::Mapping(OTHERWISE)),
];

const CAPACITY: &[Field] = &[
    Field::optional("limit", AMOUNT),
    Field::optional("counts", Shape::Word(&["until_closed", "until_client_turn", "until_first_answer"])),
    Field::optional("weights", Shape::Check(weights)),
];

fn weights(walk: &mut Walk<'_>, node: &Node) {
    const WEIGHTS: &[Field] = &[
        Field::optional("telegram", AMOUNT),
        Field::optional("whatsapp", AMOUNT),
        Field::optional("messenger", AMOUNT),
        Field::optional("instagram", AMOUNT),
        Field::optional("viber", AMOUNT),
        Field::optional("vk", AMOUNT),
        Field::optional("max", AMOUNT),
        Field::optional("email", AMOUNT),
        Field::optional("widget", AMOUNT),
        Field::optional("webhook", AMOUNT),
    ];
    walk.node(node, &Shape::Mapping(WEIGHTS));
}

const STICKY: &[Field] = &[
    Field::required("to", Shape::List(&Shape::WordLater(&["last_operator"], &["crm_owner"]))),
    Field::optional("wait", DURATION),
];

const TOPIC: &[Field] = &[
    Field::required("topic", Shape::Id),
    Field::required("when", Shape::Check(conditions::of_message)),
    Field::optional("operators", MEMBERS),
    Field::optional("skills", Shape::List(&Shape::Text)),
    Field::optional("priority", PRIORITY),
];

const OVERFLOW: &[Field] = &[
    Field::required("after", DURATION),
    Field::optional("add", MEMBERS),
    Field::optional("replace", MEMBERS),
    Field::optional("drop_skills", Shape::Boolean),
    Field::optional("line", Shape::Reference(Name::Line)),
];

const OTHERWISE: &[Field] = &[
    Field::required("after", DURATION),
    Field::required("do", Shape::Check(crate::config::check::actions::list)),
];

const PRIORITIES: &[Field] =
    &[Field::optional("base", PRIORITY), Field::optional("ageing", Shape::Mapping(AGEING))];
/// A duration that is not nothing: something happens after each.
const STEP: Shape = Shape::Scalar(|text| match scalar::duration_ms(text)? {
    0 => Err(scalar::Unfit { expected: "a duration that is longer than nothing, such as `1m`".to_owned() }),
    _ => Ok(()),
});
const AGEING: &[Field] = &[
    Field::required("every", STEP),
    Field::required("gain", Shape::Integer(1, 1_000_000)),
    Field::optional("cap", Shape::Integer(1, 1_000_000)),
];

const TEXTS: &[Field] = &[
    Field::optional("welcome", Shape::Mapping(WELCOME)),
    Field::optional("consent", Shape::Mapping(&[Field::required("template", TEMPLATE)])),
    Field::optional("out_of_hours", Shape::Mapping(&[Field::required("template", TEMPLATE)])),
    Field::optional(
        "no_answer",
        Shape::Mapping(&[Field::required("after", PERIOD), Field::required("template", TEMPLATE)]),
    ),
    Field::optional(
        "queue_position",
        Shape::Mapping(&[
            Field::required("every", PERIOD),
            Field::required("template", Shape::Check(life::queue_template)),
        ]),
    ),
];
const WELCOME: &[Field] = &[
    Field::required("template", TEMPLATE),
    Field::optional("each", Shape::Word(&["first_contact", "dialog"])),
];

/// The keys of `silence`.
pub const SILENCE: &[Field] = &[
    Field::optional("nudges", Shape::List(&Shape::Mapping(NUDGE))),
    Field::optional("close_after", PERIOD),
    Field::optional("pause_limit", PERIOD),
    Field::optional("labels", Shape::Mapping(LABELS)),
];
const NUDGE: &[Field] = &[
    Field::required("after", PERIOD),
    Field::required("template", TEMPLATE),
    Field::optional("choices", Shape::List(&Shape::Word(&["close", "continue", "new"]))),
];
const LABELS: &[Field] = &[
    Field::optional("close", Shape::Text),
    Field::optional("continue", Shape::Text),
    Field::optional("new", Shape::Text),
];

const CLOSING: &[Field] =
    &[Field::optional("template", TEMPLATE), Field::optional("reopen_window", DURATION)];

const RATING: &[Field] = &[
    Field::required("scale", Shape::Word(&["like_dislike", "1..5"])),
    Field::optional("window", PERIOD),
    Field::required("template", TEMPLATE),
    Field::optional("thanks", TEMPLATE),
];

const IDENTITY: Shape = Shape::ScalarOr(&Shape::Word(&["profile", "hidden"]), &Shape::Mapping(ALIASES));
const ALIASES: &[Field] =
    &[Field::optional("alias", Shape::Text), Field::optional("operators", Shape::Check(life::aliases))];

const SLA: &[Field] = &[
    Field::optional("when", Shape::Check(conditions::of_dialog)),
    Field::optional("first_response", DURATION),
    Field::optional("next_response", DURATION),
    Field::optional("first_accept", DURATION),
    Field::optional("resolution", DURATION),
    Field::optional("clock", Shape::Word(&["wall", "working"])),
    Field::optional("warn_at", PERCENT),
    Field::optional(
        "pause_when",
        Shape::List(&Shape::Word(&["outside_hours", "operator_unavailable", "waiting_client"])),
    ),
];

const SCENARIO: &[Field] = &[
    Field::required("start", Shape::Reference(Name::Scenario)),
    Field::optional("each", Shape::Word(&["first_contact", "dialog"])),
    Field::optional("hand_over_after", DURATION),
];

const CRM: &[Field] = &[
    Field::required("mapping", Shape::Reference(Name::Mapping)),
    Field::optional("create", Shape::Word(&["none", "lead", "deal"])),
    Field::optional("on_repeat", Shape::Word(&["reuse_open", "new_if_none_open", "always"])),
    Field::optional("require_contact_data", Shape::Boolean),
    Field::optional("detect_contacts", Shape::Boolean),
    Field::optional("transcript", Shape::Boolean),
    Field::optional("change_owner_on_transfer", Shape::Boolean),
    Field::optional("source", Shape::Any),
];
