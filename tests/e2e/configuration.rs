//! The configuration while the daemon runs and when it starts again.

use std::fs;

use super::daemon::{ADMIN, Site, messenger};
use super::waiting::eventually;

const GOOD: &str = "line: sales";
const BROKEN: &str = "line: sale";

#[tokio::test]
async fn files_that_break_while_the_daemon_runs_change_nothing_but_are_shown() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let daemon = site.start().await;
    let before = daemon.get(ADMIN, "/v1/config").await.expect(200);
    site.edit("channels.yaml", GOOD, BROKEN);
    let refused = eventually("the break is noticed", || async {
        let config = daemon.get(ADMIN, "/v1/config").await.expect(200);
        (config.at("/last_attempt/result") == "refused").then_some(config)
    })
    .await;
    assert_eq!(refused.at("/active/version"), before.at("/active/version"));
    assert!(refused.text.contains("channels.yaml"), "{}", refused.text);
    assert!(refused.text.contains("did you mean"), "{}", refused.text);
    // The channel works as before.
    daemon.anna_online().await;
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
    daemon.dialog().await;

    site.edit("channels.yaml", BROKEN, GOOD);
    eventually("the repair is noticed", || async {
        let config = daemon.get(ADMIN, "/v1/config").await.expect(200);
        (config.at("/last_attempt/result") != "refused").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restart_with_broken_files_keeps_the_last_good_configuration() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let mut daemon = site.start().await;
    let before = daemon.get(ADMIN, "/v1/config").await.expect(200);
    daemon.stop().await;
    site.edit("channels.yaml", GOOD, BROKEN);
    let daemon = site.start().await;
    let after = daemon.get(ADMIN, "/v1/config").await.expect(200);
    assert_eq!(after.at("/active/version"), before.at("/active/version"));
    assert_eq!(after.at("/last_attempt/result"), "refused", "{}", after.text);
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
    eventually("the start says so", || async {
        daemon.printed().contains("an earlier configuration is live").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_first_start_with_broken_files_is_refused_with_the_diagnostics_and_leaves_nothing() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    site.edit("channels.yaml", GOOD, BROKEN);
    let output = site.command(&["serve"]).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(printed.contains("channels.yaml:6"), "{printed}");
    assert!(!site.folder().join("data").exists());
}

#[tokio::test]
async fn a_start_in_a_folder_that_does_not_exist_is_refused_and_does_not_make_it() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    fs::remove_dir_all(site.folder()).unwrap();
    let output = site.command(&["serve"]).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(!site.folder().exists());
}

#[tokio::test]
async fn a_channel_without_its_secret_waits_for_it_while_the_daemon_runs() {
    let messenger = messenger().await;
    let site = Site::example(&messenger);
    let secrets = tempfile::TempDir::new().unwrap();
    let secret = secrets.path().join("telegram-secret");
    let reference = format!("{{file: {}}}", secret.display());
    site.edit("channels.yaml", "{env: TELEGRAM_SECRET}", &reference);
    let daemon = site.start().await;
    let ready = daemon.get(ADMIN, "/readyz").await.expect(200);
    assert!(ready.text.contains("shop-telegram"), "{}", ready.text);
    assert!(!ready.text.contains("erp"), "{}", ready.text);
    assert!(daemon.printed().contains("shop-telegram"), "{}", daemon.printed());
    assert!(daemon.telegram(1, "Здравствуйте!").await.status >= 400);

    fs::write(&secret, "telegram-secret\n").unwrap();
    daemon.signal("HUP");
    eventually("the channel works", || async {
        let ready = daemon.get(ADMIN, "/readyz").await.expect(200);
        (!ready.text.contains("shop-telegram")).then_some(())
    })
    .await;
    daemon.telegram(1, "Здравствуйте!").await.expect(200);
}

#[tokio::test]
async fn a_secret_missing_from_the_environment_is_said_by_name_and_never_by_value() {
    let messenger = messenger().await;
    let mut site = Site::example(&messenger);
    site.without_secret("TELEGRAM_TOKEN");
    let daemon = site.start().await;
    let ready = daemon.get(ADMIN, "/readyz").await.expect(200);
    assert!(ready.text.contains("shop-telegram"), "{}", ready.text);
    let config = daemon.get(ADMIN, "/v1/config").await.expect(200);
    assert!(config.text.contains("shop-telegram"), "{}", config.text);
    for text in [ready.text, config.text, daemon.printed()] {
        assert!(!text.contains("telegram-secret") && !text.contains("hook-secret"), "{text}");
    }
}
