//! Links by which messengers fetch what operators send.

use axum::extract::State;
use axum::response::Response;

use crate::attachments::{Kept, LinkError, passive};
use crate::node::FileError;

use super::answers::Name;
use super::attachments::{give, place};
use super::parameters::Parameters;
use super::problem::Problem;
use super::state::Api;

/// `GET /files/{token}`: the token is the right. A link that is over answers like one that never was.
pub(super) async fn get(
    State(api): State<Api>,
    Name(token): Name<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.finish()?;
    let place = place(&api)?;
    let now_ms = api.shared.handle.now_ms();
    let opened = api.shared.files.on_disk(move |keeper| {
        let link = match keeper.open_link(&token, now_ms) {
            Ok(link) => link,
            Err(LinkError::NotOurs | LinkError::Over | LinkError::NoKey) => return Ok(None),
        };
        Ok(keeper.open_content(&link.content)?.map(|(_, size)| (link, size)))
    });
    let failed = |error: FileError| match error {
        FileError::Gone => Problem::not_found(),
        error => Problem::internal(&error),
    };
    let Some((link, size)) = opened.await.map_err(failed)? else {
        return Err(Problem::not_found());
    };
    let media_type = passive(&link.media_type);
    let kept = Kept::new(link.content, media_type.to_owned(), None, size);
    give(&api, &kept, &link.name, media_type, place).await.map_err(failed)
}
