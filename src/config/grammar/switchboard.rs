//! `switchboard.yaml`: the daemon itself.

use super::shape::{DURATION, Field, PERIOD, Shape, URL};
use crate::config::scalar;
use crate::model::config::Attachments;

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
    Field::optional("attachments", Shape::Mapping(ATTACHMENTS)),
    Field::optional("retention", Shape::Mapping(RETENTION)),
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

const ATTACHMENTS: &[Field] = &[
    Field::optional("max", Shape::Scalar(file_size)),
    Field::optional("types", Shape::List(&Shape::Scalar(media_type))),
];

const RETENTION: &[Field] = &[Field::later("dialogs", DURATION), Field::optional("attachments", PERIOD)];

fn file_size(text: &str) -> Result<(), scalar::Unfit> {
    match scalar::size_bytes(text)? {
        1..=Attachments::MAX_BYTES_MAX => Ok(()),
        _ => Err(scalar::Unfit { expected: "a size from `1B` to `100MiB`".to_owned() }),
    }
}

fn media_type(text: &str) -> Result<(), scalar::Unfit> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'.' | b'+' | b'-' | b'_')
            })
    };
    match text.split_once('/') {
        Some((family, rest)) if is_word(family) && (rest == "*" || is_word(rest)) => Ok(()),
        _ => Err(scalar::Unfit {
            expected: "a media type in lower case, such as `application/pdf`, or a family such as `image/*`"
                .to_owned(),
        }),
    }
}

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
