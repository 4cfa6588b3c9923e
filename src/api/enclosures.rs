//! The files of a message that is to be sent: read from the request, found, and held against what the messenger takes.

use http::Uri;

use crate::attachments::{UploadId, kind_of, media_type_of, safe_name};
use crate::channels::{Channel, FileRoute};
use crate::model::message::{Attachment, AttachmentKind};

use super::attachments::owner;
use super::auth::Principal;
use super::fields::{Fields, WORD_CHARS_MAX};
use super::problem::{FieldError, Problem};
use super::state::Api;

/// The most files of a message. Each is a message of its own to most messengers.
pub(super) const FILES_MAX: usize = 10;

/// The longest address of a file, in characters.
const URL_CHARS_MAX: usize = 2_048;

/// The kinds that can be asked for; without one it comes from the media type.
const KINDS: &[(&str, AttachmentKind)] = &[
    ("image", AttachmentKind::Image),
    ("video", AttachmentKind::Video),
    ("audio", AttachmentKind::Audio),
    ("voice", AttachmentKind::Voice),
    ("document", AttachmentKind::Document),
];

/// A file as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Enclosure {
    from: From,
    name: Option<String>,
    kind: Option<AttachmentKind>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    Upload(UploadId),
    Address(String),
    /// What is wrong was told.
    Nowhere,
}

/// Reads the field `attachments`.
pub(super) fn read(body: &mut Fields) -> Vec<Enclosure> {
    body.optional_list("attachments", FILES_MAX, |file| {
        let name = file.optional_text("name", WORD_CHARS_MAX);
        let kind = file.optional_text("kind", WORD_CHARS_MAX).and_then(|word| {
            let kind = KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind);
            if kind.is_none() {
                file.complain("kind", "must be image, video, audio, voice or document");
            }
            kind
        });
        let id = file.optional_text("id", WORD_CHARS_MAX);
        let url = file.optional_text("url", URL_CHARS_MAX);
        Enclosure { from: source(file, id, url), name, kind }
    })
}

fn source(file: &mut Fields, id: Option<String>, url: Option<String>) -> From {
    match (id, url) {
        (Some(id), None) => match UploadId::parse(&id) {
            Some(id) => From::Upload(id),
            None => {
                file.complain("id", NO_UPLOAD);
                From::Nowhere
            }
        },
        (None, Some(url)) if is_public_address(&url) => From::Address(url),
        (None, Some(_)) => {
            file.complain("url", "must be an address that begins with https://, without a user name");
            From::Nowhere
        }
        (Some(_), Some(_)) | (None, None) => {
            file.complain_of_all("needs either the `id` of an upload or a `url`");
            From::Nowhere
        }
    }
}

const NO_UPLOAD: &str = "must be the id of a file that you uploaded within the last day";

fn is_public_address(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|url| {
        url.scheme_str() == Some("https")
            && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    })
}

/// Finds what the files are.
///
/// # Errors
/// 422 when an upload is not there or is somebody else's.
pub(super) async fn find(
    api: &Api,
    principal: &Principal,
    enclosures: Vec<Enclosure>,
) -> Result<Vec<Attachment>, Problem> {
    let (mut found, mut errors) = (Vec::with_capacity(enclosures.len()), Vec::new());
    for (enclosure, index) in enclosures.into_iter().zip(0_usize..) {
        let Enclosure { from, name, kind } = enclosure;
        match from {
            From::Upload(id) => {
                let upload = api.shared.files.on_disk(move |keeper| keeper.upload(&id)).await;
                let upload = upload.map_err(|error| Problem::internal(&error))?;
                let own = upload.filter(|upload| upload.by == owner(principal));
                let Some(file) = own.map(|upload| upload.file) else {
                    errors.push(error_at(&format!("/attachments/{index}/id"), NO_UPLOAD));
                    continue;
                };
                let name = safe_name(name.as_deref().or(file.name.as_deref()), &file.media_type);
                let kind = kind.unwrap_or_else(|| kind_of(&file.media_type));
                found.push(Attachment {
                    content: file.content().map(|content| content.to_string()),
                    name: Some(name),
                    size: Some(file.size),
                    media_type: Some(file.media_type),
                    ..Attachment::of(kind)
                });
            }
            From::Address(url) => found.push(by_address(url, name, kind)),
            From::Nowhere => {}
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(Problem::invalid_fields(&errors)) }
}

fn by_address(url: String, name: Option<String>, kind: Option<AttachmentKind>) -> Attachment {
    let path = url.parse::<Uri>().map(|url| url.path().to_owned()).unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let media_type = [name.as_deref().unwrap_or_default(), last]
        .into_iter()
        .map(media_type_of)
        .find(|media_type| *media_type != "application/octet-stream");
    let kind = kind.unwrap_or_else(|| kind_of(media_type.unwrap_or_default()));
    let given = name.or_else(|| Some(last.to_owned()).filter(|last| !last.is_empty()));
    Attachment {
        name: Some(safe_name(given.as_deref(), media_type.unwrap_or_default())),
        media_type: media_type.map(str::to_owned),
        url: Some(url),
        ..Attachment::of(kind)
    }
}

fn error_at(field: &str, detail: &str) -> FieldError {
    FieldError { field: field.to_owned(), detail: detail.to_owned() }
}

/// What the messenger does not take of these files. `has_public_url`: whether it could fetch something from us.
pub(super) fn refused(channel: &dyn Channel, files: &[Attachment], has_public_url: bool) -> Vec<FieldError> {
    let route = channel.capabilities().files;
    if files.is_empty() {
        return Vec::new();
    }
    if route == FileRoute::None {
        let kind = channel.kind().as_str();
        return vec![error_at("/attachments", &format!("{kind} channels do not carry files"))];
    }
    let mut errors = Vec::new();
    for (file, index) in files.iter().zip(0_usize..) {
        if route == FileRoute::Address && file.content.is_some() && !has_public_url {
            let detail = "this messenger fetches files by an address: send a `url`, or have `public_url` set in switchboard.yaml";
            errors.push(error_at(&format!("/attachments/{index}/id"), detail));
        }
        if let Some(fault) = channel.refuses_file(file) {
            errors.push(error_at(&format!("/attachments/{index}"), &fault.to_string()));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_it_leads_to_as_far_as_it_can() {
        let file = by_address("https://example.com/a/price%20list.pdf?x=1".to_owned(), None, None);
        assert_eq!(file.media_type.as_deref(), Some("application/pdf"));
        assert_eq!(file.kind, AttachmentKind::Document);
        assert_eq!(file.name.as_deref(), Some("price%20list.pdf"));
        let named = by_address("https://example.com/17".to_owned(), Some("cat.png".to_owned()), None);
        assert_eq!((named.kind, named.name.as_deref()), (AttachmentKind::Image, Some("cat.png")));
        let voice = by_address("https://example.com/x.ogg".to_owned(), None, Some(AttachmentKind::Voice));
        assert_eq!(voice.kind, AttachmentKind::Voice);
    }

    #[test]
    fn only_an_address_of_https_without_credentials_is_taken() {
        assert!(is_public_address("https://example.com/a.png"));
        for wrong in
            ["http://example.com/a.png", "https://a:b@example.com/", "ftp://x/y", "/a.png", "", "https://"]
        {
            assert!(!is_public_address(wrong), "{wrong}");
        }
    }
}
