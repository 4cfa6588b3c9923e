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

/// Fields and one file, in the field `name`, as `multipart/form-data`: the media type of the body, and the body.
/// `None` when the media type cannot stand in a header, which never happens.
pub(super) fn with_file<T: AsRef<str>>(
    fields: &[(&str, T)],
    name: &str,
    file: &FileBytes,
) -> Option<(HeaderValue, Bytes)> {
    let boundary = boundary(fields, &file.bytes);
    let mut body = BytesMut::with_capacity(file.bytes.len().saturating_add(4096));
    for (field, value) in fields {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n");
        body.put_slice(head.as_bytes());
        body.put_slice(value.as_ref().as_bytes());
        body.put_slice(b"\r\n");
    }
    body.put_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            file_name(&file.name),
            media_type(file)
        )
        .as_bytes(),
    );
    body.put_slice(&file.bytes);
    body.put_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok()?;
    Some((content_type, body.freeze()))
}

/// The media type of a file, if it can stand in a header.
pub(super) fn media_type(file: &FileBytes) -> &str {
    let is_plain = |text: &&str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    Some(file.media_type.as_str())
        .filter(|text| !text.trim().is_empty())
        .filter(is_plain)
        .unwrap_or("application/octet-stream")
}

/// A boundary that the content does not contain, and that is the same for each attempt: a hash of the content
/// cannot be written into the content on purpose.
fn boundary<T: AsRef<str>>(fields: &[(&str, T)], content: &[u8]) -> String {
    let mut hash = Sha256::new();
    for (field, value) in fields {
        hash.update(field.as_bytes());
        hash.update(value.as_ref().as_bytes());
    }
    hash.update(content);
    format!("switchboard-{}", hexadecimal::encode(&hash.finalize()))
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
        let fields = [("chat_id", "7")];
        let (content_type, body) = with_file(&fields, "document", &file).unwrap();
        let boundary = content_type.to_str().unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            String::from_utf8(body.to_vec()).unwrap(),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a'bX-Evil: 1.pdf\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n--switchboard--\r\n\r\n--{boundary}--\r\n"
            )
        );
        assert_eq!(with_file(&fields, "document", &file).unwrap().1, body, "each attempt is the same");
        let (alone, _) = with_file::<&str>(&[], "document", &file).unwrap();
        assert_ne!(alone, content_type, "fields count for the boundary too");
    }

    #[test]
    fn a_long_name_keeps_its_ending_and_an_empty_one_gets_one() {
        assert_eq!(file_name("a/"), "file");
        let long = file_name(&format!("{}.pdf", "я".repeat(500)));
        assert!(long.ends_with(".pdf") && long.chars().count() == NAME_MAX);
    }
}
