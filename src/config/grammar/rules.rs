//! `rules/*.yaml`: rules, scenarios, and their tests.

use super::shape::{DURATION, Field, MOMENT, PRIORITY, Shape};
use super::walk::Walk;
use crate::config::check::{actions, conditions, rules};
use crate::config::link::Name;
use crate::config::tree::{Kind, Node};

/// The keys of the file.
pub const FILE: &[Field] = &[
    Field::optional("version", Shape::Any),
    Field::optional("rules", Shape::List(&Shape::Check(rules::rule))),
    Field::later("scenarios", Shape::Named(&Shape::Mapping(SCENARIO))),
    Field::later("tests", Shape::List(&Shape::Mapping(TEST))),
];

/// The keys of a rule.
pub const RULE: &[Field] = &[
    Field::required("id", Shape::Id),
    Field::required("on", Shape::OneOf(TRIGGER)),
    Field::optional("when", Shape::Check(conditions::of_context)),
    Field::required("do", Shape::Check(actions::list)),
    Field::optional("priority", PRIORITY),
    Field::optional("stop", Shape::Boolean),
    Field::optional("limits", Shape::Mapping(LIMITS)),
    Field::optional("run", Shape::Mapping(RUN)),
];

const TRIGGER: &[Field] = &[
    Field::optional("event", Shape::Check(rules::event)),
    Field::later("timer", Shape::Mapping(TIMER)),
    Field::later("schedule", Shape::Mapping(SCHEDULE)),
    Field::later("hook", Shape::Id),
];

const TIMER: &[Field] = &[
    Field::required("after", DURATION),
    Field::required("start", Shape::Mapping(OCCURRENCE)),
    Field::optional("cancel", Shape::OneOrMany(&Shape::Mapping(OCCURRENCE))),
    Field::optional("clock", Shape::Word(&["wall", "working"])),
];
/// Something that happens, for timers and waits.
pub const OCCURRENCE: &[Field] = &[
    Field::required("event", Shape::Check(rules::event)),
    Field::optional("by", Shape::Word(&["client", "operator", "rule", "system", "integration", "scenario"])),
    Field::optional("when", Shape::Check(conditions::of_dialog)),
];
const SCHEDULE: &[Field] = &[
    Field::required("cron", Shape::Text),
    Field::optional("timezone", Shape::Check(crate::config::check::calendars::timezone)),
];

/// The keys of `limits`.
const LIMITS: &[Field] = &[
    Field::optional("once_per", Shape::Word(&["dialog", "client", "chat", "message"])),
    Field::optional("cooldown", DURATION),
    Field::optional("max_chain", Shape::Integer(1, 64)),
];
/// The keys of `run`.
const RUN: &[Field] = &[
    Field::optional("mode", Shape::Word(&["single", "restart", "queued", "parallel"])),
    Field::optional("key", Shape::Text),
    Field::optional("on_change", Shape::Word(&["restart", "cancel"])),
];

const SCENARIO: &[Field] =
    &[Field::required("start", Shape::Id), Field::required("steps", Shape::Named(&Shape::Mapping(STEP)))];
const TEMPLATE: Shape = Shape::Reference(Name::Template);
/// Words: a template, or a text in place.
const WORDS: Shape = Shape::ScalarOr(
    &Shape::Template,
    &Shape::OneOf(&[Field::optional("template", TEMPLATE), Field::optional("text", Shape::Template)]),
);
const STEP: &[Field] = &[
    Field::optional("say", WORDS),
    Field::optional("ask", Shape::Mapping(ASK)),
    Field::optional("choices", Shape::Table(&NEXT)),
    Field::optional("else", NEXT),
    Field::optional("max_repeats", Shape::Integer(0, 100)),
    Field::optional("then", NEXT),
];
const ASK: &[Field] = &[
    Field::required("field", Shape::Text),
    Field::optional("type", Shape::Word(&["text", "phone", "email", "number", "date", "choice"])),
    Field::optional("template", TEMPLATE),
    Field::optional("text", Shape::Template),
];
const NEXT: Shape = Shape::ScalarOr(&Shape::Id, &Shape::Check(next));

fn next(walk: &mut Walk<'_>, node: &Node) {
    const HAND_OVER: &[Field] = &[
        Field::optional("topic", Shape::Id),
        Field::optional("line", Shape::Reference(Name::Line)),
        Field::optional("team", Shape::Reference(Name::Team)),
    ];
    const NEXT: &[Field] = &[
        Field::optional("hand_over", Shape::Mapping(HAND_OVER)),
        Field::optional("step", Shape::Id),
        Field::optional("close", Shape::Any),
    ];
    match &node.kind {
        Kind::Mapping(_) => walk.node(node, &Shape::OneOf(NEXT)),
        _ => walk.wrong_type(node, "the id of a step, or `{hand_over: {…}}`", None),
    }
}

const TEST: &[Field] = &[
    Field::required("name", Shape::Text),
    Field::optional("at", MOMENT),
    Field::optional("given", Shape::Mapping(GIVEN)),
    Field::required("when", Shape::List(&Shape::Table(&Shape::Any))),
    Field::required("expect", Shape::Mapping(EXPECT)),
];
const GIVEN: &[Field] = &[
    Field::optional("client", Shape::Table(&Shape::Any)),
    Field::optional("dialog", Shape::Table(&Shape::Any)),
    Field::optional("operators", Shape::Table(&Shape::Any)),
    Field::optional("vars", Shape::Table(&Shape::Any)),
];
const EXPECT: &[Field] = &[
    Field::optional("rules", Shape::List(&Shape::Reference(Name::Rule))),
    Field::optional("dialog", Shape::Table(&Shape::Any)),
    Field::optional("client", Shape::Table(&Shape::Any)),
    Field::optional("messages", Shape::List(&Shape::Any)),
    Field::optional("effects", Shape::List(&Shape::Table(&Shape::Any))),
    Field::optional("events", Shape::List(&Shape::Any)),
];
