//! `crm-mappings/*.yaml`: CRM connectors. Only the outline is checked so far: the operations are
//! read by the connector.

use super::shape::{DURATION, Field, SIZE, Shape};

/// The keys of the file.
pub const FILE: &[Field] = &[
    Field::optional("version", Shape::Any),
    Field::required("id", Shape::Id),
    Field::optional("title", Shape::Text),
    Field::optional("secrets", Shape::Table(&Shape::Secret)),
    Field::optional("vars", Shape::Table(&Shape::Any)),
    Field::required("base_url", Shape::Text),
    Field::optional("http", Shape::Mapping(HTTP)),
    Field::optional("auth", Shape::Any),
    Field::optional("rate_limit", Shape::Any),
    Field::optional("phone", Shape::Any),
    Field::optional("errors", Shape::Any),
    Field::optional("retry", Shape::Any),
    Field::required("operations", Shape::Named(&Shape::Mapping(OPERATION))),
    Field::optional("flows", Shape::Mapping(FLOWS)),
];

const HTTP: &[Field] = &[
    Field::optional("timeout", DURATION),
    Field::optional("connect_timeout", DURATION),
    Field::optional("max_response", SIZE),
    Field::optional("follow_redirects", Shape::Boolean),
];

const OPERATION: &[Field] = &[
    Field::required("request", Shape::Table(&Shape::Any)),
    Field::optional("safe", Shape::Boolean),
    Field::optional("bucket", Shape::Text),
    Field::optional("extract", Shape::Any),
    Field::optional("already", Shape::Any),
    Field::optional("not_found", Shape::Any),
    Field::optional("idempotency", Shape::Any),
    Field::optional("limits", Shape::Any),
    Field::optional("paginate", Shape::Any),
    Field::optional("empty", Shape::Any),
];

const FLOWS: &[Field] = &[
    Field::optional("find", Shape::List(&Shape::Any)),
    Field::optional("ensure", Shape::List(&Shape::Any)),
    Field::optional("close", Shape::List(&Shape::Any)),
    Field::optional("context", Shape::List(&Shape::Any)),
];
