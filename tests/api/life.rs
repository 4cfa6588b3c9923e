//! The life of a dialog beyond answering it: pauses, reopening, supervisors, writing first.

use serde_json::json;

use super::rig::Rig;

#[tokio::test]
async fn a_pause_has_a_limit_and_ends_by_hand() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let paused = rig.post(&format!("/v1/dialogs/{id}/pause")).token("anna").send().await.expect(200);
    assert!(paused["paused"]["until"].is_string(), "{paused}");
    let long = json!({"until": "2999-01-01T00:00:00Z"});
    let refused = rig.post(&format!("/v1/dialogs/{id}/pause")).token("anna").json(&long).send().await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (422, "pause_beyond_limit".to_owned()));
    assert_eq!(refused.json()["errors"][0]["field"], "/until");
    let wrong = json!({"until": "tomorrow"});
    let refused = rig.post(&format!("/v1/dialogs/{id}/pause")).token("anna").json(&wrong).send().await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (422, "invalid_fields".to_owned()));
    let running = rig.post(&format!("/v1/dialogs/{id}/resume")).token("anna").send().await.expect(200);
    assert_eq!(running["paused"], json!(null));
    let change = json!({"paused": true, "tags": ["later"]});
    let both = rig
        .call(http::Method::PATCH, &format!("/v1/dialogs/{id}"))
        .token("anna")
        .json(&change)
        .send()
        .await
        .expect(200);
    assert!(both["paused"].is_object() && both["tags"] == json!(["later"]), "{both}");
    rig.post(&format!("/v1/dialogs/{id}/pause")).token("boris").send().await.expect(404);
    rig.stop().await;
}

#[tokio::test]
async fn spam_is_undone_by_reopening() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let spam = rig.post(&format!("/v1/dialogs/{id}/spam")).token("anna").send().await.expect(200);
    assert_eq!((&spam["state"], &spam["close_reason"]), (&json!("closed"), &json!("spam")));
    let back = rig.post(&format!("/v1/dialogs/{id}/reopen")).token("anna").send().await.expect(200);
    assert_eq!((&back["state"], &back["owner"]), (&json!("accepted"), &json!("anna")));
    assert_eq!((&back["reopened"], &back["close_reason"]), (&json!(1), &json!(null)));
    let again = rig.post(&format!("/v1/dialogs/{id}/reopen")).token("anna").send().await;
    assert_eq!((again.status.as_u16(), again.problem()), (409, "wrong_state".to_owned()));
    let why = rig.get(&format!("/v1/dialogs/{id}/explain")).token("anna").send().await.expect(200);
    let decisions = why["items"].as_array().unwrap();
    let returned = decisions.iter().find(|decision| decision["kind"] == "return").unwrap();
    assert_eq!((&returned["operator"], &returned["verdict"]), (&json!("anna"), &json!("eligible")));
    rig.stop().await;
}

#[tokio::test]
async fn a_supervisor_joins_takes_over_and_rates() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let joined = rig.post(&format!("/v1/dialogs/{id}/join")).token("vera").send().await.expect(200);
    assert_eq!((&joined["joined"], &joined["owner"]), (&json!(["vera"]), &json!("anna")));
    let left = rig.post(&format!("/v1/dialogs/{id}/leave")).token("vera").send().await.expect(200);
    assert_eq!(left["joined"], json!([]));
    rig.post(&format!("/v1/dialogs/{id}/join")).token("anna").send().await.expect(403);
    let machine = rig.post(&format!("/v1/dialogs/{id}/take-over")).token("admin").send().await;
    assert_eq!((machine.status.as_u16(), machine.problem()), (403, "operator_token_required".to_owned()));
    let taken = rig.post(&format!("/v1/dialogs/{id}/take-over")).token("vera").send().await.expect(200);
    assert_eq!(taken["owner"], "vera");
    let why = rig.get(&format!("/v1/dialogs/{id}/explain")).token("vera").send().await.expect(200);
    let decisions = why["items"].as_array().unwrap();
    let takeover = decisions.iter().find(|decision| decision["kind"] == "take_over").unwrap();
    assert_eq!((&takeover["operator"], &takeover["from"]), (&json!("vera"), &json!("anna")));
    rig.post(&format!("/v1/dialogs/{id}/close")).token("vera").send().await.expect(200);
    let path = format!("/v1/dialogs/{id}/supervisor-rating");
    let rating = json!({"score": 2, "comment": "too slow"});
    let rated = rig.post(&path).token("vera").json(&rating).send().await.expect(200);
    assert_eq!(rated["supervisor_rating"]["score"], 2);
    assert_eq!(rated["supervisor_rating"]["by"], json!({"kind": "operator", "id": "vera"}));
    for wrong in [json!({}), json!({"score": 6}), json!({"score": 4.5}), json!({"score": "4"})] {
        let refused = rig.post(&path).token("vera").json(&wrong).send().await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem()),
            (422, "invalid_fields".to_owned()),
            "{wrong}"
        );
    }
    rig.post(&path).token("anna").json(&rating).send().await.expect(404);
    rig.stop().await;
}

#[tokio::test]
async fn writing_first_opens_one_dialog() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let dialog = rig.get(&format!("/v1/dialogs/{id}")).token("anna").send().await.expect(200);
    let path = format!("/v1/chats/{}/messages", dialog["chat"]["id"].as_str().unwrap());
    let text = json!({"text": "Your parcel is here."});
    let open = rig.post(&path).token("anna").json(&text).send().await;
    assert_eq!((open.status.as_u16(), open.problem()), (409, "other_dialog_open".to_owned()));
    assert_eq!(open.json()["dialog"], json!(id));
    rig.post(&format!("/v1/dialogs/{id}/close")).token("anna").send().await.expect(200);
    let message = rig.post(&path).token("anna").json(&text).send().await.expect(201);
    assert_ne!(message["dialog"], json!(id));
    let opened = format!("/v1/dialogs/{}", message["dialog"].as_str().unwrap());
    let opened = rig.get(&opened).token("anna").send().await.expect(200);
    assert_eq!((&opened["owner"], &opened["state"]), (&json!("anna"), &json!("waiting_client")));
    // Who does not serve the line finds no chat.
    rig.post(&path).token("dora").json(&text).send().await.expect(404);
    rig.post("/v1/chats/h-999/messages").token("anna").json(&text).send().await.expect(404);
    rig.stop().await;
}

#[tokio::test]
async fn writing_to_a_client_on_a_channel_goes_on_with_what_is_open_or_opens_a_dialog() {
    let rig = Rig::start().await;
    let id = rig.accepted("shop", 1, "anna").await;
    let dialog = rig.get(&format!("/v1/dialogs/{id}")).token("anna").send().await.expect(200);
    let to = |channel: &str| json!({"channel": channel, "client": dialog["client"]["id"], "text": "Hello."});
    let write = |caller: &'static str, body: serde_json::Value| {
        let rig = &rig;
        async move { rig.post("/v1/chats").token(caller).json(&body).send().await }
    };
    // The owner just writes; others learn whose it is.
    let message = write("anna", to("shop")).await.expect(201);
    assert_eq!(message["dialog"], json!(id));
    let other = write("boris", to("shop")).await;
    assert_eq!((other.status.as_u16(), other.problem()), (409, "not_owner".to_owned()));
    assert_eq!(other.json()["owner"], "anna");
    // Without an open dialog one is opened.
    rig.post(&format!("/v1/dialogs/{id}/close")).token("anna").send().await.expect(200);
    let message = write("boris", to("shop")).await.expect(201);
    assert_ne!(message["dialog"], json!(id));
    let opened = format!("/v1/dialogs/{}", message["dialog"].as_str().unwrap());
    let opened = rig.get(&opened).token("boris").send().await.expect(200);
    assert_eq!((&opened["owner"], &opened["state"]), (&json!("boris"), &json!("waiting_client")));
    // What cannot be found, or reached, is told apart from what no messenger does.
    for wrong in [to("help"), to("nowhere"), json!({"channel": "shop", "client": "c-999", "text": "x"})] {
        let answer = write("anna", wrong).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (422, "invalid_fields".to_owned()));
    }
    let stranger = write("dora", to("help")).await;
    assert_eq!(stranger.status.as_u16(), 422, "dora does not know the client: {:?}", stranger.json());
    rig.stop().await;
}
