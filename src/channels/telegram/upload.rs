//! Requests with a file: `multipart/form-data`.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::channels::files::FileBytes;
use crate::model::hexadecimal;

/// The longest name of a file that is passed on, in characters.
const NAME_MAX: usize = 100;

/// Fields and one file: the media type of the body, and the body. `None`: it cannot be written, which never happens.
pub(super) fn form(fields: &[(&str, String)], name: &str, file: &FileBytes) -> Option<(HeaderValue, Bytes)> {
    let boundary = boundary(fields, &file.bytes);
    let mut body = BytesMut::with_capacity(file.bytes.len().saturating_add(4096));
    for (field, value) in fields {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n");
        body.put_slice(head.as_bytes());
        body.put_slice(value.as_bytes());
        body.put_slice(b"\r\n");
    }
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let media_type = Some(file.media_type.as_str()).filter(|text| !text.is_empty() && is_plain(text));
    body.put_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            file_name(&file.name),
            media_type.unwrap_or("application/octet-stream"),
        )
        .as_bytes(),
    );
    body.put_slice(&file.bytes);
    body.put_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok()?;
    Some((content_type, body.freeze()))
}

/// A boundary that the content does not contain, and that is the same for each attempt: nobody can write a hash of
/// the content into the content.
fn boundary(fields: &[(&str, String)], content: &[u8]) -> String {
    let mut hash = Sha256::new();
    for (field, value) in fields {
        hash.update(field.as_bytes());
        hash.update(value.as_bytes());
    }
    hash.update(content);
    format!("switchboard-{}", hexadecimal::encode(&hash.finalize()))
}

/// A file name that can stand between quotation marks and leads nowhere.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|letter| !letter.is_control()).collect();
    let plain = plain.replace('"', "'");
    // The end of a long name tells what kind of file it is.
    let length = plain.chars().count();
    let short: String = plain.chars().skip(length.saturating_sub(NAME_MAX)).collect();
    if short.trim().is_empty() { "file".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cannot_end_its_part_or_add_a_header() {
        let file = FileBytes {
            name: "../a\"b\r\nX-Evil: 1.pdf".to_owned(),
            media_type: "text/plain\r\nX-Evil: 1".to_owned(),
            bytes: Bytes::from_static(b"--switchboard--\r\n"),
        };
        let fields = [("chat_id", "7".to_owned())];
        let (content_type, body) = form(&fields, "document", &file).unwrap();
        let boundary = content_type.to_str().unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            String::from_utf8(body.to_vec()).unwrap(),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a'bX-Evil: 1.pdf\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n--switchboard--\r\n\r\n--{boundary}--\r\n"
            )
        );
        assert_eq!(form(&fields, "document", &file).unwrap().1, body, "each attempt is the same");
        let long = file_name(&format!("{}.pdf", "я".repeat(500)));
        assert!(long.ends_with(".pdf") && long.chars().count() == NAME_MAX && file_name("a/") == "file");
    }
}
