//! Messenger: a page of Facebook.
//!
//! Sources: developers.facebook.com/docs/messenger-platform. What it shares with Instagram is in `meta/`: `events.rs`
//! says what becomes of each kind of event, `page.rs` how messages go out.

use http::Method;

use crate::model::channel::{ChannelKind, MessengerSettings};
use crate::model::id::ChannelId;
use crate::model::message::{Attachment, AttachmentKind};

use super::codec::{ButtonLimits, Capabilities};
use super::files::FileRoute;
use super::meta::account::{Account, Secrets, numeric_id};
use super::meta::batch::{id, text};
use super::meta::page::{Flavor, Page};
use super::meta::setup::{self, TOKEN};
use super::setup::{Check, Finding};
use super::start::{ConnectError, ResolvedSecrets};
use super::text::{TextLimit, TextUnit};
use super::wire::WireResponse;

/// What this codec understands.
const FIELDS: &str = "messages,messaging_postbacks,message_echoes,message_reads,message_deliveries,\
                      message_reactions,message_edits,messaging_referrals,messaging_optins";

/// Without this field nothing that clients write comes.
const NEEDED_FIELD: &str = "messages";

/// The rights that the codec needs.
const RIGHTS: [&str; 2] = ["pages_messaging", "pages_manage_metadata"];

/// Which page the token is of.
const PAGE: &str = "page";

/// What the page tells to our application.
const SUBSCRIPTION: &str = "subscription";

static MESSENGER: Flavor = Flavor {
    kind: ChannelKind::Messenger,
    object: "page",
    capabilities: Capabilities {
        text: TextLimit { length: 2000, unit: TextUnit::Utf16 },
        parts_max: 16,
        buttons: Some(ButtonLimits { count_max: 13, data_bytes_max: 1000 }),
        replies: true,
        acknowledges_buttons: false,
        files: FileRoute::Address,
        edits: false,
        deletes: false,
        typing: true,
    },
    carries_marks: true,
    form,
    registration,
    checks,
    examine,
};

/// Step 1.
pub(super) fn connect(
    id: &ChannelId,
    settings: &MessengerSettings,
    secrets: &dyn ResolvedSecrets,
) -> Result<Page, ConnectError> {
    let places = Secrets {
        access_token: &settings.access_token,
        app_secret: &settings.app_secret,
        instagram_app_secret: None,
        verify_token: &settings.verify_token,
    };
    let page = numeric_id("page_id", &settings.page_id)?;
    Ok(Page {
        flavor: &MESSENGER,
        id: id.clone(),
        sender: page.clone(),
        account_id: page,
        human_agent: settings.human_agent,
        account: Account::connect(&places, &settings.api_base, secrets)?,
    })
}

const fn form(file: &Attachment) -> Option<&'static str> {
    match file.kind {
        AttachmentKind::Image | AttachmentKind::Sticker => Some("image"),
        AttachmentKind::Video => Some("video"),
        AttachmentKind::Audio | AttachmentKind::Voice => Some("audio"),
        AttachmentKind::Document => Some("file"),
        AttachmentKind::Location | AttachmentKind::Contact => None,
    }
}

/// Subscribes the application to the page. Where calls go is a setting of the application.
fn registration(page: &Page, _: &str) -> Vec<Check> {
    let path = format!("{}/subscribed_apps?subscribed_fields={FIELDS}", page.account_id);
    let request = page.account.request(Method::POST, &path, None, bytes::Bytes::new());
    request.map(|request| Check { name: SUBSCRIPTION, request }).into_iter().collect()
}

fn checks(page: &Page) -> Vec<Check> {
    let asked = |name, path: &str| page.account.get(path).map(|request| Check { name, request });
    [
        setup::token(&page.account),
        asked(PAGE, "me?fields=id,name"),
        asked(SUBSCRIPTION, &format!("{}/subscribed_apps", page.account_id)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn examine(page: &Page, check: &Check, response: &WireResponse) -> Vec<Finding> {
    let body = setup::body(response);
    if let Some(finding) = setup::error(&page.account, check.name, response, &body) {
        return vec![finding];
    }
    let finding = match check.name {
        TOKEN => return setup::token_findings(&body, &RIGHTS),
        PAGE => match id(&body, "/id") {
            Some(found) if found == page.account_id => {
                Finding::good(format!("the token is of the page {}", text(&body, "/name").unwrap_or(found)))
            }
            found => Finding::bad(format!(
                "the token is of {}, and `page_id` is {}: put the token of that page into `access_token`",
                found.as_deref().unwrap_or("nobody"),
                page.account_id
            )),
        },
        _ => setup::subscription(&body, NEEDED_FIELD),
    };
    vec![finding]
}

#[cfg(test)]
mod tests;
