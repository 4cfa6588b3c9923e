//! `templates.yaml`: ready texts.

use super::shape::{Field, Shape};
use crate::config::check::templates;

/// The keys of the file.
pub const FILE: &[Field] = &[
    Field::optional("version", Shape::Any),
    Field::required("templates", Shape::Named(&Shape::ScalarOr(&Shape::Template, &Shape::Mapping(TEMPLATE)))),
];

const TEMPLATE: &[Field] = &[
    Field::required("text", Shape::ScalarOr(&Shape::Template, &Shape::Check(templates::languages))),
    Field::optional("buttons", Shape::List(&Shape::Mapping(BUTTON))),
    Field::later("channels", Shape::Table(&Shape::Any)),
];

const BUTTON: &[Field] =
    &[Field::required("title", Shape::Text), Field::required("data", Shape::Scalar(templates::button_data))];
