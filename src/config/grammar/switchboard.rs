//! `switchboard.yaml`: the daemon itself.

use super::shape::{DURATION, Field, Shape, URL};
use crate::config::scalar;

/// The keys of the file.
pub const FILE: &[Field] = &[
    Field::optional("version", Shape::Any),
    Field::optional("listen", Shape::Scalar(scalar::listen)),
    Field::optional("metrics", Shape::Mapping(METRICS)),
    Field::optional("public_url", URL),
    Field::optional("data_dir", Shape::Text),
    Field::later("journal", Shape::Mapping(JOURNAL)),
    Field::later("smtp", Shape::Mapping(SMTP)),
    Field::optional("endpoints", Shape::Named(&Shape::Mapping(ENDPOINT))),
    Field::optional("outbound", Shape::Mapping(OUTBOUND)),
    Field::later("retention", Shape::Mapping(RETENTION)),
];

const METRICS: &[Field] = &[Field::required("listen", Shape::Scalar(scalar::listen))];

const JOURNAL: &[Field] =
    &[Field::required("kind", Shape::Word(&["files"])), Field::optional("retention", DURATION)];

const SMTP: &[Field] = &[
    Field::required("url", Shape::Text),
    Field::optional("username", Shape::Text),
    Field::optional("password", Shape::Secret),
    Field::required("from", Shape::Text),
];

const ENDPOINT: &[Field] = &[
    Field::required("url", Shape::Check(crate::config::check::addresses::target)),
    Field::required("secret", Shape::Secret),
];

const OUTBOUND: &[Field] = &[Field::optional("allow_private", Shape::List(&Shape::Scalar(network)))];

const RETENTION: &[Field] = &[Field::optional("dialogs", DURATION), Field::optional("attachments", DURATION)];

fn network(text: &str) -> Result<(), scalar::Unfit> {
    text.parse::<ipnet::IpNet>().map(drop).map_err(|_| {
        let expected = match text.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(address)) => format!("a network; write \"{address}/32\" for one address"),
            Ok(std::net::IpAddr::V6(address)) => {
                format!("a network; write \"{address}/128\" for one address")
            }
            Err(_) => "a network such as \"10.1.0.0/16\" or \"fd00::/8\"".to_owned(),
        };
        scalar::Unfit { expected }
    })
}
