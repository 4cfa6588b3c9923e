//! A channel id belongs to one account of its messenger for its life.

use http::Method;
use serde_json::Value;

use super::rig::Rig;

const FIRST: &str = "1234567:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const FIRST_RENEWED: &str = "1234567:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
const OTHER: &str = "7654321:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC";

fn set_token(rig: &Rig, token: &str) {
    std::fs::write(rig.folder().join("telegram-token"), token).unwrap();
}

async fn reload(rig: &Rig) -> (u16, Value) {
    let answer = rig.call(Method::POST, "/v1/config/reload").token("admin").send().await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn the_token_of_another_bot_is_refused_and_the_first_bot_goes_on() {
    let rig = Rig::start().await;
    set_token(&rig, OTHER);
    let (status, problem) = reload(&rig).await;
    assert_eq!(status, 422);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("give the other account a channel id of its own"), "{detail}");
    assert!(detail.contains("7654321") && detail.contains("1234567"), "{detail}");
    assert!(!problem.to_string().contains("CCC"), "{problem}");
    rig.telegram("shop", 1, 77, "hello").await.expect(200);

    // Another token of the same bot is fine.
    set_token(&rig, FIRST_RENEWED);
    assert_eq!(reload(&rig).await.0, 200);
    rig.stop().await;
}

#[tokio::test]
async fn after_a_restart_the_bot_is_still_known_and_calls_for_another_one_wait() {
    let rig = Rig::start().await;
    set_token(&rig, OTHER);
    let rig = rig.restart().await;
    let config = rig.get("/v1/config").token("admin").send().await.expect(200);
    assert_eq!(config["last_attempt"]["result"], "refused");
    assert!(config["problems"].to_string().contains("channel id of its own"), "{config}");
    rig.telegram("shop", 1, 77, "hello").await.expect(503);
    set_token(&rig, FIRST);
    assert_eq!(reload(&rig).await.0, 200);
    rig.telegram("shop", 1, 77, "hello").await.expect(200);
    rig.stop().await;
}

#[tokio::test]
async fn a_channel_that_comes_back_after_it_was_removed_is_still_its_first_bots() {
    let rig = Rig::start().await;
    let file = rig.folder().join("channels.yaml");
    let both = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = both.split_once("  help:").unwrap();
    let (help, after) = rest.split_once("  dark:").unwrap();
    std::fs::write(&file, format!("{before}  dark:{after}")).unwrap();
    assert_eq!(reload(&rig).await.0, 200);
    let of_another = rig.folder().join("other-token");
    std::fs::write(&of_another, OTHER).unwrap();
    let renamed = |id: &str| {
        let own = help.replace("telegram-token", "other-token");
        std::fs::write(&file, format!("{before}  {id}:{own}  dark:{after}")).unwrap();
    };
    renamed("help");
    assert_eq!(reload(&rig).await.0, 422);
    // With an id of its own the other bot is welcome.
    renamed("help-two");
    let (status, report) = reload(&rig).await;
    assert_eq!((status, &report["result"]), (200, &"activated".into()));
    rig.telegram("help-two", 1, 77, "hello").await.expect(200);
    rig.stop().await;
}
