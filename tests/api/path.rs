//! The first complete path: a client writes, an operator accepts, answers and closes.

use http::Method;
use serde_json::{Value, json};

use super::rig::Rig;

#[tokio::test]
async fn a_client_writes_and_an_operator_accepts_answers_and_closes() {
    let rig = Rig::start().await;
    rig.online("anna").await;
    let received = rig.telegram("shop", 1, 77, "hello").await;
    assert_eq!((received.status.as_u16(), received.body.len()), (200, 0));

    let dialog = &rig.dialogs("anna").await[0];
    assert_eq!(dialog["state"], "offered");
    assert_eq!(dialog["offers"][0]["operator"], "anna");
    let id = dialog["id"].as_str().unwrap();

    let accepted = rig.post(&format!("/v1/dialogs/{id}/accept")).token("anna").send().await;
    let version = accepted.headers["etag"].to_str().unwrap().to_owned();
    let accepted = accepted.expect(200);
    assert_eq!((accepted["state"].as_str(), accepted["owner"].as_str()), (Some("accepted"), Some("anna")));
    assert_eq!(version, format!("\"{}\"", accepted["version"]));
    assert!(accepted["seq"].as_u64().unwrap() > 0);

    let reply = rig
        .post(&format!("/v1/dialogs/{id}/messages"))
        .token("anna")
        .json(&json!({"text": "How can I help?"}))
        .send()
        .await
        .expect(201);
    assert_eq!(reply["author"], json!({"kind": "operator", "id": "anna"}));
    let messages = rig.get(&format!("/v1/dialogs/{id}/messages")).token("anna").send().await.expect(200);
    let texts: Vec<&str> = messages["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["hello", "How can I help?"]);

    let explained = rig.get(&format!("/v1/dialogs/{id}/explain")).token("anna").send().await.expect(200);
    assert_eq!(explained["items"][0]["winners"], json!(["anna"]));
    assert_eq!(explained["items"][0]["candidates"][1]["verdict"], "offline");

    let closed = rig.post(&format!("/v1/dialogs/{id}/close")).token("anna").send().await.expect(200);
    assert_eq!(
        (closed["state"].as_str(), closed["close_reason"].as_str()),
        (Some("closed"), Some("operator"))
    );
    let again = rig.post(&format!("/v1/dialogs/{id}/close")).token("anna").send().await;
    assert_eq!((again.status.as_u16(), again.problem()), (409, "dialog_closed".to_owned()));
    rig.stop().await;
}

#[tokio::test]
async fn of_several_who_are_offered_a_dialog_the_losers_are_told_who_has_it() {
    let rig = Rig::with_strategy("broadcast").await;
    rig.online("anna").await;
    rig.online("boris").await;
    rig.telegram("shop", 1, 77, "hello").await.expect(200);
    let id = rig.dialogs("anna").await[0]["id"].as_str().unwrap().to_owned();
    rig.post(&format!("/v1/dialogs/{id}/accept")).token("boris").send().await.expect(200);
    let lost = rig.post(&format!("/v1/dialogs/{id}/accept")).token("anna").send().await;
    assert_eq!((lost.status.as_u16(), lost.problem()), (409, "not_offered".to_owned()));
    assert_eq!(lost.json()["owner"], "boris");
    // Apart from that the dialog does not exist for anna any more, and for strangers not even that.
    rig.get(&format!("/v1/dialogs/{id}")).token("anna").send().await.expect(404);
    rig.post(&format!("/v1/dialogs/{id}/accept")).token("dora").send().await.expect(404);
    rig.stop().await;
}

#[tokio::test]
async fn a_dialog_is_transferred_requeued_and_changed() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    rig.online("boris").await;
    let path = format!("/v1/dialogs/{id}");
    let changed = rig
        .call(Method::PATCH, &path)
        .token("anna")
        .json(&json!({"priority": "high", "topic": "billing", "tags": ["vip", "refund"], "custom": {"order": 17}}))
        .send()
        .await
        .expect(200);
    assert_eq!((changed["priority"].as_i64(), changed["topic"].as_str()), (Some(10), Some("billing")));
    assert_eq!(changed["tags"], json!(["refund", "vip"]));
    assert_eq!(changed["custom"], json!({"order": 17}));

    let transfer =
        |to: serde_json::Value| rig.post(&format!("{path}/transfer")).token("anna").json(&json!({"to": to}));
    let unknown = transfer(json!({"team": "nobody"})).send().await;
    assert_eq!((unknown.status.as_u16(), unknown.problem()), (422, "unknown_team".to_owned()));
    let given = transfer(json!({"operator": "boris"})).send().await.expect(200);
    assert_eq!(
        (given["state"].as_str(), &given["offers"][0]["operator"]),
        (Some("offered"), &json!("boris"))
    );
    rig.post(&format!("{path}/accept")).token("boris").send().await.expect(200);
    let stale = rig.post(&format!("{path}/requeue")).token("boris").header("if-match", "\"1\"").send().await;
    assert_eq!((stale.status.as_u16(), stale.problem()), (409, "version_mismatch".to_owned()));
    let current = stale.json()["current"].as_u64().unwrap();
    let requeued = rig
        .post(&format!("{path}/requeue"))
        .token("boris")
        .header("if-match", &format!("\"{current}\""))
        .send()
        .await
        .expect(200);
    assert_eq!(requeued["owner"], json!(null));
    rig.stop().await;
}

/// All items of a list, page by page as the links say, with the number of pages.
async fn walked(rig: &Rig, first: &str, token: &str) -> (Vec<Value>, usize) {
    let mut address = first.to_owned();
    let (mut items, mut pages) = (Vec::new(), 0);
    loop {
        let page = rig.get(&address).token(token).send().await;
        let link = page.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
        let body = page.expect(200);
        items.extend(body["items"].as_array().unwrap().iter().cloned());
        pages += 1;
        let Some(link) = link else {
            assert_eq!(body["next_cursor"], json!(null));
            return (items, pages);
        };
        assert!(link.ends_with(">; rel=\"next\""), "{link}");
        assert!(body["next_cursor"].is_string());
        address = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
    }
}

#[tokio::test]
async fn every_list_goes_on_where_its_link_says() {
    let rig = Rig::start().await;
    for number in 1..=5 {
        rig.telegram("shop", number, number, "hello").await.expect(200);
    }
    let dialog = rig.accepted("help", 9, "dora").await;
    for path in [
        "/v1/dialogs?status=open",
        "/v1/lines?",
        "/v1/operators?",
        "/v1/lines/sales/queue?",
        &format!("/v1/dialogs/{dialog}/messages?whole_chat=true"),
        &format!("/v1/dialogs/{dialog}/timeline?order=desc"),
        &format!("/v1/dialogs/{dialog}/explain?"),
    ] {
        let (whole, pages) = walked(&rig, path, "admin").await;
        assert_eq!(pages, 1, "{path}");
        let (items, pages) = walked(&rig, &format!("{path}&limit=1"), "admin").await;
        assert!(pages >= whole.len(), "{path}");
        assert_eq!(items, whole, "{path}");
        let (items, _) = walked(&rig, &format!("{path}&limit=2"), "admin").await;
        assert_eq!(items, whole, "{path}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_cursor_counts_only_in_the_list_that_gave_it_out() {
    let rig = Rig::start().await;
    for number in 1..=2 {
        rig.telegram("shop", number, number, "hello").await.expect(200);
        rig.telegram("help", number, number, "hello").await.expect(200);
    }
    let id = |dialogs: &[Value], place: usize| dialogs[place]["id"].as_str().unwrap().to_owned();
    let dialogs = rig.dialogs("admin").await;
    let (one, other) = (id(&dialogs, 0), id(&dialogs, 1));
    for (from, to) in [
        (format!("/v1/dialogs/{one}/timeline"), format!("/v1/dialogs/{other}/timeline")),
        (format!("/v1/dialogs/{one}/timeline"), format!("/v1/dialogs/{one}/messages")),
        ("/v1/lines/sales/queue".to_owned(), "/v1/lines/support/queue".to_owned()),
        ("/v1/lines".to_owned(), "/v1/operators".to_owned()),
        ("/v1/dialogs".to_owned(), "/v1/lines/sales/queue".to_owned()),
    ] {
        let page = rig.get(&format!("{from}?limit=1")).token("admin").send().await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        rig.get(&format!("{from}?cursor={cursor}")).token("admin").send().await.expect(200);
        let foreign = rig.get(&format!("{to}?cursor={cursor}")).token("admin").send().await;
        assert_eq!(
            (foreign.status.as_u16(), foreign.problem()),
            (400, "invalid_parameter".to_owned()),
            "{to}"
        );
        assert_eq!(foreign.json()["errors"][0]["field"], "cursor");
    }
    rig.stop().await;
}

#[tokio::test]
async fn of_two_who_accept_at_the_same_moment_one_wins_and_the_other_learns_who() {
    let rig = Rig::with_strategy("broadcast").await;
    rig.online("anna").await;
    rig.online("boris").await;
    for number in 1..=10 {
        rig.telegram("shop", number, number, "hello").await.expect(200);
        let id = rig.dialogs("admin").await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/dialogs/{id}/accept");
        let (anna, boris) =
            tokio::join!(rig.post(&path).token("anna").send(), rig.post(&path).token("boris").send());
        let (winner, loser, name) =
            if anna.status.is_success() { (anna, boris, "anna") } else { (boris, anna, "boris") };
        assert_eq!(winner.expect(200)["owner"], name);
        assert_eq!(loser.problem(), "not_offered");
        assert_eq!(loser.json()["owner"], name);
        rig.post(&format!("/v1/dialogs/{id}/close")).token(name).send().await.expect(200);
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_reply_names_the_message_it_answers_and_the_whole_chat_has_the_earlier_dialogs() {
    let rig = Rig::start().await;
    let first = rig.accepted("shop", 1, "anna").await;
    let asked = rig.get(&format!("/v1/dialogs/{first}/messages")).token("anna").send().await.expect(200);
    let reply = rig
        .post(&format!("/v1/dialogs/{first}/messages"))
        .token("anna")
        .json(&json!({"text": "Hi", "reply_to": asked["items"][0]["id"]}))
        .send()
        .await
        .expect(201);
    assert_eq!(reply["reply_to_external_id"], asked["items"][0]["external_id"]);
    rig.post(&format!("/v1/dialogs/{first}/close")).token("anna").send().await.expect(200);

    rig.telegram("shop", 2, 1, "me again").await.expect(200);
    let second = rig.dialogs("anna").await[0]["id"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let texts = async |query: &str| {
        let path = format!("/v1/dialogs/{second}/messages{query}");
        let list = rig.get(&path).token("anna").send().await.expect(200);
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts("").await, ["me again"]);
    assert_eq!(texts("?whole_chat=true").await, ["hello", "Hi", "me again"]);
    assert_eq!(texts("?whole_chat=true&order=desc&limit=2").await, ["me again", "Hi"]);
    rig.stop().await;
}

#[tokio::test]
async fn what_an_integration_writes_is_shown_as_the_systems_with_its_name() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let note = rig.post(&format!("/v1/dialogs/{id}/notes")).token("crm").json(&json!({"text": "paid"}));
    let note = note.send().await.expect(201);
    let shown = json!({"kind": "system", "id": "crm"});
    assert_eq!(note["author"], shown);
    let transferred = rig.post(&format!("/v1/dialogs/{id}/transfer")).token("crm");
    transferred.json(&json!({"to": {"line": "support"}})).send().await.expect(200);
    let timeline = rig.get(&format!("/v1/dialogs/{id}/timeline?order=desc")).token("admin").send().await;
    let timeline = timeline.expect(200);
    let mut items = timeline["items"].as_array().unwrap().iter();
    let event = items.find(|item| item["event"]["type"] == "dialog.transferred").unwrap();
    assert_eq!(event["event"]["data"]["by"], shown, "{timeline}");
    rig.stop().await;
}
