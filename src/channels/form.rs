//! Bodies of requests as forms: pairs of names and values, and files.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::model::hexadecimal;

use super::files::FileBytes;

/// The media type of [`pairs`].
pub(super) const PAIRS: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The longest name of a file that is passed on, in characters.
const NAME_MAX: usize = 100;

/// Pairs as `application/x-www-form-urlencoded`, which is also the form of a query.
pub(super) fn pairs(pairs: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in pairs {
        if !form.is_empty() {
            form.push('&');
        }
        form.push_str(&encoded(name));
        form.push('=');
        form.push_str(&encoded(value));
    }
    form
}

/// A text with everything but letters, digits and `-._~` as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(hexadecimal::digits(&[byte]).map(|digit| char::from(digit.to_ascii_uppercase())));
        }
    }
    encoded
}

/// One file as `multipart/form-data`, in the field `name`: the media type of the body, and the body. `None`
/// when the media type cannot stand in a header, which never happens.
pub(super) fn one_file(name: &str, file: &FileBytes) -> Option<(HeaderValue, Bytes)> {
    let boundary = boundary(&file.bytes);
    let media_type = HeaderValue::from_str(&file.media_type)
        .ok()
        .and_then(|value| value.to_str().ok().map(str::to_owned))
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let mut body = BytesMut::with_capacity(file.bytes.len().saturating_add(512));
    body.put_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\n\
             Content-Type: {media_type}\r\n\r\n",
            file_name(&file.name)
        )
        .as_bytes(),
    );
    body.put_slice(&file.bytes);
    body.put_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok()?;
    Some((content_type, body.freeze()))
}

/// A boundary that the content does not contain, and that is the same for each attempt: a hash of the content
/// cannot be written into the content on purpose.
fn boundary(content: &[u8]) -> String {
    format!("switchboard-{}", hexadecimal::encode(&Sha256::digest(content)))
}

/// A file name that can stand between quotation marks and leads nowhere.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|character| !character.is_control())
        .map(|character| if character == '"' { '\'' } else { character })
        .collect();
    let length = plain.chars().count();
    // The end of a long name tells what kind of file it is.
    let short: String = plain.chars().skip(length.saturating_sub(NAME_MAX)).collect();
    if short.trim().is_empty() { "file".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_nothing_but_its_pairs() {
        assert_eq!(
            pairs(&[("message", "Да & нет=?\n"), ("v", "5.199")]),
            "message=%D0%94%D0%B0%20%26%20%D0%BD%D0%B5%D1%82%3D%3F%0A&v=5.199"
        );
        assert_eq!(pairs(&[]), "");
    }

    #[test]
    fn a_file_cannot_end_its_part_or_add_a_header() {
        let file = FileBytes {
            name: "../a\"b\r\nX-Evil: 1.pdf".to_owned(),
            media_type: "text/plain\r\nX-Evil: 1".to_owned(),
            bytes: Bytes::from_static(b"--switchboard--\r\n"),
        };
        let (content_type, body) = one_file("file", &file).unwrap();
        let boundary = content_type.to_str().unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            String::from_utf8(body.to_vec()).unwrap(),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a'bX-Evil: 1.pdf\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n--switchboard--\r\n\r\n--{boundary}--\r\n"
            )
        );
        assert_eq!(one_file("file", &file).unwrap().1, body);
    }

    #[test]
    fn a_long_name_keeps_its_ending_and_an_empty_one_gets_one() {
        assert_eq!(file_name("a/"), "file");
        let long = file_name(&format!("{}.pdf", "я".repeat(500)));
        assert!(long.ends_with(".pdf") && long.chars().count() == NAME_MAX);
    }
}
