//! The trait carries what further messengers need: a handshake by `GET` and one by `POST`, a proof in
//! the body, an answer of its own, and a send that uploads first.

use switchboard::channels::{
    CallHead, Capabilities, DecodeError, Decoded, EncodeError, Progress, SendFailure, TextLimit, TextUnit,
    Verdict, VerifyError, WebhookAnswer, WireRequest,
};
use switchboard::model::channel::ChannelKind;
use switchboard::model::effect::Attempt;

use super::*;

static CAPABILITIES: Capabilities = Capabilities {
    text: TextLimit { length: 100, unit: TextUnit::Characters },
    parts_max: 1,
    buttons: None,
    replies: false,
    acknowledges_buttons: false,
    files: switchboard::channels::FileRoute::Address,
    edits: false,
    deletes: false,
    typing: false,
};

/// A messenger made of the odd habits of several.
#[derive(Debug)]
struct Odd;

impl Channel for Odd {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Vk
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// Its proof stands in the query or in the body, by the method.
    fn verify_head(&self, head: &CallHead<'_>) -> Result<(), VerifyError> {
        let is_right =
            head.method != Method::GET || head.query.split('&').any(|pair| pair == "hub.verify_token=secret");
        if is_right { Ok(()) } else { Err(VerifyError::Mismatch) }
    }

    fn verify(&self, call: &WebhookCall<'_>) -> Result<(), VerifyError> {
        let right = if call.method == Method::GET {
            call.query.split('&').any(|pair| pair == "hub.verify_token=secret")
        } else {
            let body: Value = serde_json::from_slice(call.body).map_err(|_| VerifyError::Mismatch)?;
            body["secret"] == "secret"
        };
        if right { Ok(()) } else { Err(VerifyError::Mismatch) }
    }

    fn decode(&self, call: &WebhookCall<'_>) -> Result<Decoded, DecodeError> {
        let challenge = call.query.split('&').find_map(|pair| pair.strip_prefix("hub.challenge="));
        let answer = match challenge {
            Some(challenge) => challenge.to_owned(),
            None if serde_json::from_slice::<Value>(call.body)?["type"] == "confirmation" => {
                "c0de".to_owned()
            }
            None => "ok".to_owned(),
        };
        Ok(Decoded { received: Vec::new(), answer: WebhookAnswer::plain(answer) })
    }

    fn encode(&self, _: &Effect, progress: &Progress) -> Result<WireRequest, EncodeError> {
        let step = match progress.prepared.last() {
            None => "server".to_owned(),
            Some(prepared) => format!("upload/{prepared}"),
        };
        Ok(WireRequest {
            method: Method::POST,
            url: format!("https://example.com/{step}").parse().unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        })
    }

    fn classify(&self, _: &Effect, progress: &Progress, _: Result<&WireResponse, &SendFailure>) -> Verdict {
        if progress.prepared.is_empty() {
            let mut further = progress.clone();
            further.prepared.push("place-1".to_owned());
            Verdict::More(further)
        } else {
            Verdict::Ended(Attempt::Delivered { external_id: None })
        }
    }
}

#[test]
fn handshakes_are_calls_without_facts_and_with_an_answer() {
    let headers = HeaderMap::new();
    let get = WebhookCall {
        method: &Method::GET,
        query: "hub.mode=subscribe&hub.verify_token=secret&hub.challenge=1158201444",
        ..call(&headers, b"")
    };
    assert_eq!(Odd.verify(&get), Ok(()));
    assert_eq!(Odd.decode(&get).unwrap().answer, WebhookAnswer::plain("1158201444"));
    for (kind, expected) in [("confirmation", "c0de"), ("message_new", "ok")] {
        let body = json!({ "type": kind, "secret": "secret" }).to_string();
        assert_eq!(Odd.verify(&call(&headers, body.as_bytes())), Ok(()));
        let decoded = Odd.decode(&call(&headers, body.as_bytes())).unwrap();
        assert_eq!(decoded.answer, WebhookAnswer::plain(expected));
    }
}

#[test]
fn an_upload_comes_before_the_message() {
    let effect = send("hello");
    let mut progress = Progress::resume(&effect);
    let mut steps = Vec::new();
    loop {
        steps.push(Odd.encode(&effect, &progress).unwrap().url.path().to_owned());
        match Odd.classify(&effect, &progress, Ok(&answer(200, ""))) {
            Verdict::More(further) => progress = further,
            Verdict::Ended(attempt) => {
                assert_eq!(attempt, Attempt::Delivered { external_id: None });
                break;
            }
        }
    }
    assert_eq!(steps, ["/server", "/upload/place-1"]);
}
