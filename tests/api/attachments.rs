//! Files of messages, uploads, and showing that somebody is typing.

use http::Method;
use serde_json::{Value, json};
use switchboard::model::attachment_id::AttachmentId;
use switchboard::model::command::{Action, Actor, Command, ReplyContent};
use switchboard::model::entry::Cause;
use switchboard::model::id::MessageId;
use switchboard::model::input::Input;
use switchboard::model::message::{Attachment, AttachmentKind};
use switchboard::model::role::Scope;
use switchboard::node::Submission;

use super::rig::{Answer, Rig};

async fn upload(rig: &Rig, name: &str, path: &str, media_type: &str, body: &'static [u8]) -> Answer {
    rig.post(path).token(name).header("content-type", media_type).body(body).send().await
}

/// A message of an operator with these files, whether or not its messenger takes files: the message's id.
async fn sent(rig: &Rig, dialog: &str, operator: &str, text: &str, attachments: Vec<Attachment>) -> String {
    let content = ReplyContent::Text { text: text.to_owned(), buttons: Vec::new() };
    let dialog = dialog.parse().unwrap();
    let action = Action::Reply { dialog, content, attachments, reply_to: None };
    let command = Command {
        actor: Actor::Operator(operator.into()),
        scope: Scope::Own,
        lines: None,
        expected_version: None,
        action,
    };
    let submission = Submission {
        input_id: "api/test/1".to_owned(),
        cause: Cause::Token("anna".into()),
        input: Input::Command(command),
    };
    rig.node().shared().handle.submit(submission).await.unwrap();
    let path = format!("/v1/dialogs/{dialog}/messages?order=desc");
    let newest = rig.get(&path).token("admin").send().await.expect(200);
    newest["items"][0]["id"].as_str().unwrap().to_owned()
}

/// A file in a message of an operator: its id.
pub(super) async fn a_file_of(rig: &Rig, dialog: &str, operator: &str) -> String {
    let body = b"content";
    let up = upload(rig, operator, "/v1/attachments?name=a.txt", "text/plain", body).await.expect(201);
    let message = sent(rig, dialog, operator, "see", vec![kept(&up, body)]).await;
    let message: MessageId = message.parse().unwrap();
    AttachmentId { message, index: 0 }.to_string()
}

fn kept(upload: &Value, body: &[u8]) -> Attachment {
    use sha2::Digest as _;
    Attachment {
        content: Some(switchboard::model::hexadecimal::encode(&sha2::Sha256::digest(body))),
        name: Some(upload["name"].as_str().unwrap().to_owned()),
        media_type: Some(upload["media_type"].as_str().unwrap().to_owned()),
        size: upload["size"].as_u64(),
        ..Attachment::of(AttachmentKind::Document)
    }
}

#[tokio::test]
async fn a_file_is_given_to_those_who_may_read_its_message_and_never_to_be_shown() {
    let rig = Rig::start().await;
    let dialog = rig.accepted("shop", 1, "anna").await;
    let body = b"<script>alert(1)</script>";
    let up =
        upload(&rig, "anna", "/v1/attachments?name=..%2Fpage%22.html", "text/html", body).await.expect(201);
    assert_eq!((up["name"].as_str(), up["size"].as_u64()), (Some("page.html"), Some(25)));
    // A file needs no words.
    let message = sent(&rig, &dialog, "anna", "", vec![kept(&up, body)]).await;
    let path = format!("/v1/dialogs/{dialog}/messages?order=desc");
    let newest = rig.get(&path).token("anna").send().await.expect(200)["items"][0].clone();
    assert_eq!(newest["text"], "");
    let shown = newest["attachments"].clone();
    let id = AttachmentId { message: message.parse().unwrap(), index: 0 }.to_string();
    assert_eq!(
        shown,
        json!([{"id": id, "kind": "document", "name": "page.html", "media_type": "text/html", "size": 25,
            "location": null, "contact": null}])
    );
    let path = format!("/v1/attachments/{id}");
    for reader in ["anna", "vera", "crm", "admin"] {
        let answer = rig.get(&path).token(reader).send().await;
        assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, body.as_slice()), "{reader}");
        for (name, value) in [
            ("content-type", "application/octet-stream"),
            ("content-disposition", "attachment; filename=\"page.html\"; filename*=UTF-8''page.html"),
            ("content-length", "25"),
            ("cache-control", "private, max-age=3600"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
        ] {
            assert_eq!(answer.headers[name], value, "{reader}");
        }
    }
    for reader in ["boris", "dora", "xenia", "erp", "anna-at-support"] {
        let answer = rig.get(&path).token(reader).send().await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (404, "not_found".to_owned()), "{reader}");
    }
    // An earlier dialog of the chat is read by whoever has the present one.
    rig.post(&format!("/v1/dialogs/{dialog}/close")).token("anna").send().await.expect(200);
    let away = json!({"status": "offline"});
    let presence = rig.call(Method::PUT, "/v1/operators/anna/presence").token("anna").json(&away);
    presence.send().await.expect(200);
    rig.get(&path).token("boris").send().await.expect(404);
    rig.pass(30 * 24 * 60 * 60 * 1000);
    rig.online("boris").await;
    rig.telegram("shop", 2, 1, "me again").await.expect(200);
    let present = rig.dialogs("boris").await[0]["id"].as_str().unwrap().to_owned();
    assert_ne!(present, dialog);
    rig.get(&path).token("boris").send().await.expect(200);
    rig.get(&path).token("watcher").send().await.expect(403);
    rig.get(&path).send().await.expect(401);
    for wrong in ["a-1-0-0", "a-9999999-0-0", &format!("{id}1"), "u-0", "m-1", "..%2F..%2Ffiles.key"] {
        rig.get(&format!("/v1/attachments/{wrong}")).token("admin").send().await.expect(404);
    }
    // A new start has it, too. Without its folder it is gone: the messenger does not keep what we send.
    let rig = rig.restart().await;
    rig.get(&path).token("anna").send().await.expect(200);
    std::fs::remove_dir_all(rig.folder().join("data/attachments")).unwrap();
    assert_eq!(rig.get(&path).token("anna").send().await.problem(), "file_gone");
    rig.stop().await;
}

#[tokio::test]
async fn an_upload_is_bounded_and_belongs_to_whoever_made_it() {
    let rig = Rig::start().await;
    let settings = "version: 1\nattachments: {max: 10B, types: [\"image/*\"]}\n";
    std::fs::write(rig.folder().join("switchboard.yaml"), settings).unwrap();
    rig.post("/v1/config/reload").token("admin").send().await.expect(200);
    let path = "/v1/attachments?name=a.png";
    let first = upload(&rig, "anna", path, "image/png", b"0123456789").await.expect(201);
    assert_eq!(first["kind"], "image");
    let again = upload(&rig, "anna", path, "image/png", b"0123456789").await.expect(201);
    assert_eq!(first, again, "an upload can be repeated");
    let of_boris = upload(&rig, "boris", path, "image/png", b"0123456789").await.expect(201);
    assert_ne!(first["id"], of_boris["id"]);
    let by_name = upload(&rig, "anna", path, "application/octet-stream", b"1").await.expect(201);
    assert_eq!(by_name["media_type"], "image/png");
    let large = upload(&rig, "anna", path, "image/png", b"01234567890").await;
    assert_eq!((large.status.as_u16(), large.problem()), (413, "body_too_large".to_owned()));
    let other = upload(&rig, "anna", "/v1/attachments?name=a.pdf", "application/pdf", b"1").await;
    assert_eq!((other.status.as_u16(), other.problem()), (415, "type_not_taken".to_owned()));
    let form = upload(&rig, "anna", path, "multipart/form-data; boundary=x", b"--x").await;
    assert_eq!((form.status.as_u16(), form.problem()), (415, "unsupported_media_type".to_owned()));
    let empty = upload(&rig, "anna", path, "image/png", b"").await;
    assert_eq!((empty.status.as_u16(), empty.problem()), (422, "empty_file".to_owned()));
    upload(&rig, "anna", "/v1/attachments?names=x", "image/png", b"1").await.expect(400);
    upload(&rig, "watcher", path, "image/png", b"1").await.expect(403);

    let dialog = rig.accepted("shop", 1, "anna").await;
    let reply = |files: Value| {
        let call = rig.post(&format!("/v1/dialogs/{dialog}/messages")).token("anna");
        call.json(&json!({"attachments": files})).send()
    };
    for (files, place) in [
        (json!([{"id": of_boris["id"]}]), "/attachments/0/id"),
        (json!([{"id": first["id"]}, {"id": "u-1"}]), "/attachments/1/id"),
        (json!([{"url": "http://example.com/a.png"}]), "/attachments/0/url"),
        (json!([{"url": "https://a:b@example.com/a.png"}]), "/attachments/0/url"),
        (json!([{"name": "a.png"}]), "/attachments/0"),
        (json!([{"id": first["id"], "url": "https://example.com"}]), "/attachments/0"),
        (json!([{"id": first["id"], "kind": "hologram"}]), "/attachments/0/kind"),
        (json!([{"id": first["id"], "content": "ab"}]), "/attachments/0/content"),
        (json!("a"), "/attachments"),
    ] {
        let answer = reply(files.clone()).await;
        assert_eq!(answer.status.as_u16(), 422, "{files}");
        assert_eq!(answer.json()["errors"][0]["field"], place, "{files}: {}", answer.json());
    }
    // Buttons stand under words.
    let call = rig.post(&format!("/v1/dialogs/{dialog}/messages")).token("anna");
    let buttons = json!({"attachments": [{"id": first["id"]}], "buttons": [{"title": "A", "data": "a"}]});
    assert_eq!(call.json(&buttons).send().await.json()["errors"][0]["field"], "/text");
    rig.stop().await;
}

#[tokio::test]
async fn a_link_gives_its_file_until_it_ends_and_anything_else_gives_nothing() {
    use switchboard::attachments::{ContentHash, Keeper, Link};
    let rig = Rig::start().await;
    upload(&rig, "anna", "/v1/attachments?name=a.png", "image/png", b"picture").await.expect(201);
    let keeper = Keeper::new(&rig.folder().join("data"));
    let now_ms = rig.node().shared().handle.now_ms();
    let link = |media_type: &str, bytes: &[u8]| {
        let content = ContentHash::of(bytes);
        let link = Link { content, media_type: media_type.to_owned(), name: "a.png".to_owned() };
        keeper.sign(&link, now_ms + 60_000).unwrap()
    };
    let good = link("image/png", b"picture");
    let answer = rig.get(&format!("/files/{good}")).send().await;
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, b"picture".as_slice()));
    assert_eq!(answer.headers["content-type"], "image/png");
    assert!(answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment;"));
    let active = rig.get(&format!("/files/{}", link("image/svg+xml", b"picture"))).send().await;
    assert_eq!(active.headers["content-type"], "application/octet-stream");
    let forged = format!("/files/{}", good.replace(good.split_at(4).0, "AAAA"));
    for wrong in [forged.as_str(), "/files/x", "/files/%2e%2e", &format!("/files/{}", link("a/b", b"other"))]
    {
        let answer = rig.get(wrong).send().await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (404, "not_found".to_owned()), "{wrong}");
    }
    rig.pass(60_000);
    rig.get(&format!("/files/{good}")).send().await.expect(404);
    rig.stop().await;
}

#[tokio::test]
async fn typing_is_shown_by_those_who_may_write() {
    let rig = Rig::start().await;
    let dialog = rig.accepted("shop", 1, "anna").await;
    let path = format!("/v1/dialogs/{dialog}/typing");
    let mut found = Vec::new();
    for caller in ["anna", "boris", "dora", "vera", "watcher", "crm", "erp", "admin"] {
        let answer = rig.call(Method::POST, &path).token(caller).send().await;
        assert!(answer.status.as_u16() != 204 || answer.body.is_empty());
        found.push(format!("{caller} {}", answer.status.as_u16()));
    }
    insta::assert_snapshot!(found.join("\n"));
    let events = rig.get(&format!("/v1/dialogs/{dialog}/timeline")).token("anna").send().await.expect(200);
    assert!(!events.to_string().contains("typing"), "it is not kept");
    rig.post(&format!("/v1/dialogs/{dialog}/close")).token("anna").send().await.expect(200);
    let closed = rig.call(Method::POST, &path).token("anna").send().await;
    assert_eq!((closed.status.as_u16(), closed.problem()), (409, "dialog_closed".to_owned()));
    rig.stop().await;
}
