//! Tests of the request template.
