//! Names and media types of files: what strangers gave is made safe before anybody else sees it.

use crate::model::message::AttachmentKind;

/// The longest name of a file, in characters.
const NAME_CHARS_MAX: usize = 120;

/// The longest extension that is kept when a name is cut, in characters.
const EXTENSION_CHARS_MAX: usize = 10;

/// Extensions with their media types, the usual one of a type first.
const TYPES: &[(&str, &str)] = &[
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("3gp", "video/3gpp"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("amr", "audio/amr"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("zip", "application/zip"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("tgs", "application/x-tgsticker"),
];

/// Media types that no program executes: they may be named to whoever fetches a file by a link.
const PASSIVE: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/mp4",
    "video/3gpp",
    "video/webm",
    "audio/mpeg",
    "audio/mp4",
    "audio/aac",
    "audio/amr",
    "audio/ogg",
    "audio/wav",
    "application/pdf",
    "text/plain",
];

/// The type of anything.
const ANYTHING: &str = "application/octet-stream";

/// The media type that a file's name stands for.
pub fn media_type_of(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension
        .and_then(|extension| TYPES.iter().find(|(known, _)| *known == extension))
        .map_or(ANYTHING, |(_, media_type)| media_type)
}

/// A media type without its parameters, if it is one that can be named safely; otherwise that of anything.
pub fn passive(media_type: &str) -> &'static str {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    PASSIVE.iter().find(|known| known.eq_ignore_ascii_case(essence)).copied().unwrap_or(ANYTHING)
}

/// What a file of this media type is to a messenger.
pub fn kind_of(media_type: &str) -> AttachmentKind {
    match media_type.split('/').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "image" => AttachmentKind::Image,
        "video" => AttachmentKind::Video,
        "audio" => AttachmentKind::Audio,
        _ => AttachmentKind::Document,
    }
}

/// A name that is safe to show and to write to a disk: without folders, control characters, characters that turn
/// the direction of writing (they disguise an extension) and dots at its ends. Without a usable name: `file`, with
/// the extension of the media type.
pub fn safe_name(given: Option<&str>, media_type: &str) -> String {
    let given = given.unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !is_treacherous(*c)).collect();
    let name = kept.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if name.is_empty() {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        return match TYPES.iter().find(|(_, known)| known.eq_ignore_ascii_case(essence)) {
            Some((extension, _)) => format!("file.{extension}"),
            None => "file".to_owned(),
        };
    }
    shortened(name)
}

fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '<' | '>' | ':' | '"' | '|' | '?' | '*'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Cut so that the extension stays.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension)
        .filter(|extension| extension.chars().count() <= EXTENSION_CHARS_MAX);
    let room = NAME_CHARS_MAX - extension.map_or(0, |extension| extension.chars().count() + 1);
    let stem: String = name.chars().take(room).collect();
    match extension {
        Some(extension) => format!("{stem}.{extension}"),
        None => stem,
    }
}

/// `Content-Disposition` for a safe name: the browser keeps the file and never shows it in our origin. Old readers
/// take the first form, which is ASCII (RFC 6266); the others the second (RFC 8187).
pub fn content_disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c == ' ' || (c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%')) { c } else { '_' })
        .collect();
    let mut encoded = String::with_capacity(name.len() * 3);
    for byte in name.bytes() {
        // The characters that an `attr-char` may be.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::model::hexadecimal::encode(&[byte]).to_ascii_uppercase());
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_and_disguises_nothing() {
        for (given, expected) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\evil.exe", "evil.exe"),
            ("a\r\nSet-Cookie: b.txt", "aSet-Cookie b.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            (" ..hidden. ", "hidden"),
            ("счёт №5.pdf", "счёт №5.pdf"),
            ("..", "file.png"),
            ("", "file.png"),
            ("a/", "file.png"),
        ] {
            assert_eq!(safe_name(Some(given), "image/png"), expected, "{given}");
        }
        assert_eq!(safe_name(None, "image/jpeg; q=1"), "file.jpg");
        assert_eq!(safe_name(None, "x/y"), "file");
        let long = format!("{}.pdf", "ж".repeat(300));
        let cut = safe_name(Some(&long), "");
        assert!(cut.chars().count() == NAME_CHARS_MAX && cut.ends_with(".pdf"), "{cut}");
    }

    #[test]
    fn the_header_holds_any_name() {
        assert_eq!(
            content_disposition("my file.pdf"),
            "attachment; filename=\"my file.pdf\"; filename*=UTF-8''my%20file.pdf"
        );
        assert_eq!(
            content_disposition("счёт\".pdf"),
            "attachment; filename=\"_____.pdf\"; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82%22.pdf"
        );
    }

    #[test]
    fn nothing_active_is_named_as_such() {
        assert_eq!(passive("image/png"), "image/png");
        assert_eq!(passive("Image/PNG; charset=x"), "image/png");
        for active in
            ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "", "\r\nX: 1"]
        {
            assert_eq!(passive(active), ANYTHING, "{active}");
        }
        assert_eq!(media_type_of("A.JPEG"), "image/jpeg");
        assert_eq!(media_type_of("page.html"), ANYTHING);
        assert_eq!(kind_of("audio/ogg"), AttachmentKind::Audio);
        assert_eq!(kind_of("application/pdf"), AttachmentKind::Document);
    }
}
