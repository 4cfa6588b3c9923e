//! Instagram: the messages of a professional account.
//!
//! Sources: developers.facebook.com/docs/instagram-platform. There are two kinds of login: with a page of Facebook, at
//! graph.facebook.com, and with Instagram, at graph.instagram.com, which signs calls with a secret of its own. What it
//! shares with Messenger is in `meta/`: `events.rs` says what becomes of each kind of event, `page.rs` how messages go
//! out.

use http::Method;

use crate::model::channel::{ChannelKind, InstagramSettings};
use crate::model::id::ChannelId;
use crate::model::message::{Attachment, AttachmentKind};

use super::codec::{ButtonLimits, Capabilities};
use super::files::FileRoute;
use super::meta::account::{Account, Secrets, numeric_id};
use super::meta::batch::{id, text};
use super::meta::page::{Flavor, Page};
use super::meta::setup;
use super::setup::{Check, Finding};
use super::start::{ConnectError, ResolvedSecrets};
use super::text::{TextLimit, TextUnit};
use super::wire::WireResponse;

/// What this codec understands.
const FIELDS: &str = "messages,messaging_postbacks,messaging_seen,message_reactions,messaging_referral";

/// Without this field nothing that clients write comes.
const NEEDED_FIELD: &str = "messages";

/// The host of accounts that log in with Instagram.
const INSTAGRAM_LOGIN: &str = "graph.instagram.com";

/// Which account the token is of.
const ACCOUNT: &str = "account";

/// What the account tells to our application.
const SUBSCRIPTION: &str = "subscription";

static INSTAGRAM: Flavor = Flavor {
    kind: ChannelKind::Instagram,
    object: "instagram",
    capabilities: Capabilities {
        // Bytes: about five hundred letters of Cyrillic.
        text: TextLimit { length: 1000, unit: TextUnit::Bytes },
        parts_max: 16,
        buttons: Some(ButtonLimits { count_max: 13, data_bytes_max: 1000 }),
        replies: true,
        acknowledges_buttons: false,
        files: FileRoute::Address,
        edits: false,
        deletes: false,
        typing: true,
    },
    carries_marks: false,
    form,
    registration,
    checks,
    examine,
};

/// Step 1.
pub(super) fn connect(
    id: &ChannelId,
    settings: &InstagramSettings,
    secrets: &dyn ResolvedSecrets,
) -> Result<Page, ConnectError> {
    let places = Secrets {
        access_token: &settings.access_token,
        app_secret: &settings.app_secret,
        instagram_app_secret: settings.instagram_app_secret.as_ref(),
        verify_token: &settings.verify_token,
    };
    Ok(Page {
        flavor: &INSTAGRAM,
        id: id.clone(),
        account_id: numeric_id("account_id", &settings.account_id)?,
        // The page behind the account, or the account: whose token it is.
        sender: "me".to_owned(),
        human_agent: settings.human_agent,
        account: Account::connect(&places, &settings.api_base, secrets)?,
    })
}

/// Of documents Instagram takes PDF alone.
fn form(file: &Attachment) -> Option<&'static str> {
    match file.kind {
        AttachmentKind::Image | AttachmentKind::Sticker => Some("image"),
        AttachmentKind::Video => Some("video"),
        AttachmentKind::Audio | AttachmentKind::Voice => Some("audio"),
        AttachmentKind::Document => {
            let is_pdf = match (&file.media_type, &file.name) {
                (Some(media_type), _) => media_type.eq_ignore_ascii_case("application/pdf"),
                (None, Some(name)) => name.to_ascii_lowercase().ends_with(".pdf"),
                (None, None) => false,
            };
            is_pdf.then_some("file")
        }
        AttachmentKind::Location | AttachmentKind::Contact => None,
    }
}

/// Subscribes the application to the account. Where calls go is a setting of the application.
fn registration(page: &Page, _: &str) -> Vec<Check> {
    let path = format!("me/subscribed_apps?subscribed_fields={FIELDS}");
    let request = page.account.request(Method::POST, &path, None, bytes::Bytes::new());
    request.map(|request| Check { name: SUBSCRIPTION, request }).into_iter().collect()
}

fn checks(page: &Page) -> Vec<Check> {
    let whose = if page.account.host.eq_ignore_ascii_case(INSTAGRAM_LOGIN) {
        "me?fields=user_id,username"
    } else {
        "me?fields=id,name,instagram_business_account"
    };
    let asked = |name, path: &str| page.account.get(path).map(|request| Check { name, request });
    [asked(ACCOUNT, whose), asked(SUBSCRIPTION, "me/subscribed_apps")].into_iter().flatten().collect()
}

fn examine(page: &Page, check: &Check, response: &WireResponse) -> Vec<Finding> {
    let body = setup::body(response);
    if let Some(finding) = setup::error(&page.account, check.name, response, &body) {
        return vec![finding];
    }
    let finding = match check.name {
        ACCOUNT => match id(&body, "/user_id").or_else(|| id(&body, "/instagram_business_account/id")) {
            Some(found) if found == page.account_id => {
                let name = text(&body, "/username").or_else(|| text(&body, "/name")).unwrap_or(found);
                Finding::good(format!("the token is of the account {name}"))
            }
            Some(found) => Finding::bad(format!(
                "the token is of the account {found}, and `account_id` is {}: calls name the account by the first; put it \
                 into `account_id`, or the other account's token into `access_token`",
                page.account_id
            )),
            None => Finding::bad("no account of Instagram is behind the token: connect one to the page"),
        },
        _ => setup::subscription(&body, NEEDED_FIELD),
    };
    vec![finding]
}

#[cfg(test)]
mod tests;
