//! `operators.yaml`: operators, teams, roles and API tokens.

use super::shape::{AMOUNT, Field, MOMENT, Shape};
use crate::config::check::operators;
use crate::config::link::Name;
use crate::config::scalar;

/// The keys of the file.
pub const FILE: &[Field] = &[
    Field::optional("version", Shape::Any),
    Field::optional("operators", Shape::Named(&Shape::Mapping(OPERATOR))),
    Field::optional("teams", Shape::Named(&Shape::Mapping(TEAM))),
    Field::optional("roles", Shape::Named(&Shape::Mapping(ROLE))),
    Field::optional("tokens", Shape::List(&Shape::Check(operators::token))),
];

const LANGUAGE: Shape = Shape::Scalar(|text| scalar::language(text).map(drop));
const VACATION: Shape = Shape::Scalar(|text| scalar::vacation(text).map(drop));

const OPERATOR: &[Field] = &[
    Field::optional("name", Shape::Text),
    Field::optional("email", Shape::Scalar(operators::email)),
    Field::optional("teams", Shape::List(&Shape::Reference(Name::Team))),
    Field::optional("skills", Shape::List(&Shape::Text)),
    Field::optional("languages", Shape::List(&LANGUAGE)),
    Field::optional("capacity", AMOUNT),
    Field::optional("calendar", Shape::Reference(Name::Calendar)),
    Field::optional("active", Shape::Boolean),
    Field::optional("vacation", Shape::List(&VACATION)),
    Field::optional("role", Shape::Reference(Name::Role)),
];

const TEAM: &[Field] = &[
    Field::optional("name", Shape::Text),
    Field::optional("lines", Shape::List(&Shape::Reference(Name::Line))),
    Field::optional("supervisors", Shape::List(&Shape::Reference(Name::Operator))),
];

const SCOPE: Shape = Shape::Word(&["own", "own+queue", "team", "line", "any"]);

/// The keys of a role.
pub const ROLE: &[Field] = &[
    Field::optional("dialogs", Shape::Mapping(DIALOGS)),
    Field::optional("clients", Shape::Mapping(&[Field::optional("see", SCOPE)])),
    Field::optional("events", SCOPE),
    Field::optional("reports", SCOPE),
    Field::optional("all", Shape::Word(&["any"])),
];

const DIALOGS: &[Field] = &[
    Field::optional("see", SCOPE),
    Field::optional("reply", SCOPE),
    Field::optional("close", SCOPE),
    Field::optional("transfer", SCOPE),
    Field::optional("take_over", SCOPE),
    Field::optional("join", SCOPE),
    Field::optional("rate", SCOPE),
    Field::optional("write", SCOPE),
];

/// The keys of a token.
pub const TOKEN: &[Field] = &[
    Field::required("id", Shape::Id),
    Field::required("hash", Shape::Check(operators::hash)),
    Field::optional("operator", Shape::Reference(Name::Operator)),
    Field::optional("role", Shape::Reference(Name::Role)),
    Field::optional("lines", Shape::List(&Shape::Reference(Name::Line))),
    Field::optional("expires", MOMENT),
];
