//! The conditions of a rule that matched are those that were live then.

use serde_json::{Value, json};

use super::rig::Rig;

const RULES: &str = "version: 1
rules:
  - id: refunds
    on: {event: message.received}
    when: {path: message.text, contains_any: [WORD], ignore_case: true}
    do: [{add_tags: [refund]}]
";

async fn load(rig: &Rig, word: &str) {
    let folder = rig.folder().join("rules");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("refunds.yaml"), RULES.replace("WORD", word)).unwrap();
    rig.post("/v1/config/reload").token("admin").send().await.expect(200);
}

#[tokio::test]
async fn a_rule_is_explained_by_the_conditions_that_were_live_when_it_matched() {
    let rig = Rig::start().await;
    for (number, word) in [(1, "refund"), (2, "money")] {
        load(&rig, word).await;
        rig.telegram("shop", number, 1, "My Refund, my money").await.expect(200);
    }
    // The rule is gone, what it did is not.
    std::fs::remove_dir_all(rig.folder().join("rules")).unwrap();
    rig.post("/v1/config/reload").token("admin").send().await.expect(200);
    let dialog = rig.dialogs("admin").await[0]["id"].as_str().unwrap().to_owned();
    let explained = rig.get(&format!("/v1/dialogs/{dialog}/explain")).token("admin").send().await.expect(200);
    let items = explained["items"].as_array().unwrap();
    let conditions: Vec<&Value> =
        items.iter().filter(|item| item["kind"] == "rule").map(|item| &item["when"]).collect();
    let of = |word: &str| json!({"path": "message.text", "contains_any": [word], "ignore_case": true});
    assert_eq!(conditions, [&of("refund"), &of("money")]);
    rig.stop().await;
}
