//! Whatever the checks accept becomes part of the configuration, in each form that it may be written.

use std::path::Path;

use serde_json::json;
use switchboard::config::diagnostic::{Format, Paint, render};
use switchboard::config::load::load;
use switchboard::config::source::SourceSet;
use switchboard::model::channel::ChannelSettings;
use switchboard::model::config::Config;
use switchboard::model::event::EventKind;
use switchboard::model::rule::{Condition, Content, Receiver, RuleAction, Test};

/// The base of the faults with other files.
fn with<const N: usize>(files: [(&str, &str); N]) -> Config {
    let mut set = SourceSet::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/base"));
    set.files.extend(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let loaded = load(&set);
    let text = render(&loaded.diagnostics, Format::Text, Paint::Plain);
    assert_eq!(text, "The configuration is fine.\n");
    loaded.config.unwrap()
}

/// The tests of a rule with this condition.
fn tests_of(condition: &str) -> Vec<Test> {
    let text = format!(
        "version: 1\nrules:\n  - {{id: a, on: {{event: message.received}}, when: {condition}, do: [close]}}\n"
    );
    let config = with([("rules/a.yaml", text.as_str())]);
    match &config.rules[0].when {
        Some(Condition::Test { tests, .. }) => tests.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_test_is_read_in_the_type_of_its_path() {
    for (condition, expected) in [
        ("{path: dialog.line, eq: sales}", Test::Eq(json!("sales"))),
        ("{path: message.text, eq: 007}", Test::Eq(json!("007"))),
        ("{path: message.text, ne: true}", Test::Ne(json!("true"))),
        ("{path: dialog.priority, gte: high}", Test::Gte(json!(10))),
        ("{path: dialog.priority, between: [low, 15]}", Test::Between(json!(-10), json!(15))),
        ("{path: dialog.unread, in: [1, 2]}", Test::In(vec![json!(1), json!(2)])),
        ("{path: message.automatic, eq: true}", Test::Eq(json!(true))),
        ("{path: client.custom.size, eq: 43}", Test::Eq(json!(43))),
        ("{path: client.custom.size, eq: \"43\"}", Test::Eq(json!("43"))),
        ("{path: client.custom.country, eq: NO}", Test::Eq(json!("NO"))),
        ("{path: dialog.tags, has: 1}", Test::Has(json!("1"))),
        ("{path: dialog.tags, has_any: [a, b]}", Test::HasAny(vec![json!("a"), json!("b")])),
        ("{path: dialog.tags, has_all: [a]}", Test::HasAll(vec![json!("a")])),
        ("{path: dialog.tags, size: 2}", Test::Size(2)),
        ("{path: dialog.topic, exists: false}", Test::Exists(false)),
        ("{path: message.text, contains: ' '}", Test::Contains(" ".to_owned())),
        ("{path: message.text, contains_any: [a]}", Test::ContainsAny(vec!["a".to_owned()])),
        ("{path: message.text, starts_with: /}", Test::StartsWith("/".to_owned())),
        ("{path: message.text, ends_with: '?'}", Test::EndsWith("?".to_owned())),
        ("{path: message.text, matches: '^\\d+$'}", Test::Matches("^\\d+$".to_owned())),
        ("{path: message.text, not_in: [a]}", Test::NotIn(vec![json!("a")])),
        (
            "{path: dialog.tags, any_of: {starts_with: vip}}",
            Test::AnyOf(vec![Test::StartsWith("vip".to_owned())]),
        ),
        (
            "{path: '$.message.attachments[*].kind', all_of: {eq: image}}",
            Test::AllOf(vec![Test::Eq(json!("image"))]),
        ),
        ("{path: 'message.attachments[0].kind', eq: image}", Test::Eq(json!("image"))),
    ] {
        assert_eq!(tests_of(condition), [expected], "{condition}");
    }
}

#[test]
fn conditions_are_joined_in_each_way() {
    let config = with([(
        "rules/a.yaml",
        "version: 1
rules:
  - id: a
    on: {event: message.received}
    when:
      any:
        - all: [{path: message.text, contains: a}, {path: message.text, contains: b}]
        - none: [{path: message.text, contains: c}]
        - not: {path: message.text, contains: D, ignore_case: true}
    do: [close]
",
    )]);
    let Some(Condition::Any(parts)) = &config.rules[0].when else { panic!("{:?}", config.rules[0]) };
    assert!(matches!(
        parts.as_slice(),
        [Condition::All(all), Condition::None(none), Condition::Not(not)]
            if all.len() == 2 && none.len() == 1 && matches!(**not, Condition::Test { ignore_case: true, .. })
    ));
}

#[test]
fn each_action_is_read_in_each_form() {
    let config = with([(
        "rules/a.yaml",
        "version: 1
rules:
  - id: a
    on: {event: message.received}
    do:
      - reply: Hello
      - reply: {text: Hello}
      - reply: {template: welcome}
      - note: Seen
      - add_tags: vip
      - add_tags: [a, b]
      - set_priority: urgent
      - set_priority: -7
      - set_topic: billing
      - transfer: {team: sales, else: {operator: anna}}
      - transfer: {line: sales}
      - notify: {endpoint: duty-room}
      - notify: {endpoint: duty-room, text: Look}
      - close: {}
      - spam
      - spam: {}
      - pause
      - pause: {}
      - pause: {for: 2h}
      - close
",
    )]);
    let text = |text: &str| Content::Text(text.to_owned());
    let tags = |tags: &[&str]| RuleAction::AddTags(tags.iter().map(|&tag| tag.to_owned()).collect());
    let notify = |content| RuleAction::Notify { endpoint: "duty-room".into(), content };
    assert_eq!(
        config.rules[0].actions,
        [
            RuleAction::Reply(text("Hello")),
            RuleAction::Reply(text("Hello")),
            RuleAction::Reply(Content::Template("welcome".into())),
            RuleAction::Note("Seen".to_owned()),
            tags(&["vip"]),
            tags(&["a", "b"]),
            RuleAction::SetPriority(20),
            RuleAction::SetPriority(-7),
            RuleAction::SetTopic("billing".into()),
            RuleAction::Transfer {
                to: Receiver::Team("sales".into()),
                otherwise: Some(Receiver::Operator("anna".into())),
            },
            RuleAction::Transfer { to: Receiver::Line("sales".into()), otherwise: None },
            notify(None),
            notify(Some(text("Look"))),
            RuleAction::Close,
            RuleAction::Spam,
            RuleAction::Spam,
            RuleAction::Pause { for_ms: None },
            RuleAction::Pause { for_ms: None },
            RuleAction::Pause { for_ms: Some(7_200_000) },
            RuleAction::Close,
        ]
    );
}

#[test]
fn rules_act_by_priority_then_file_then_place() {
    let rule = |id: &str, priority: &str| {
        format!("  - {{id: {id}, on: {{event: dialog.opened}}, do: [close], priority: {priority}}}\n")
    };
    let file = |rules: &[String]| format!("version: 1\nrules:\n{}", rules.concat());
    let one = file(&[rule("z", "normal"), rule("y", "high")]);
    let two = file(&[rule("x", "0"), rule("w", "low"), rule("v", "high")]);
    let config = with([("rules/1.yaml", &one), ("rules/2.yaml", &two)]);
    let order: Vec<&str> = config
        .rules
        .iter()
        .filter(|rule| rule.event == EventKind::DialogOpened)
        .map(|rule| rule.id.as_str())
        .collect();
    assert_eq!(order, ["y", "v", "z", "x", "w"]);
}

#[test]
fn anchors_and_merge_keys_share_settings() {
    let config = with([(
        "lines.yaml",
        "version: 1
x-routing: &routing {operators: [anna], offer_timeout: 5m}
x-line: &line {language: ru, routing: *routing}
lines:
  sales: {<<: *line, name: Sales}
  north: {<<: [*line], language: en}
",
    )]);
    let line = |id: &str| &config.lines[id];
    assert_eq!((line("sales").name.as_str(), line("north").language.as_deref()), ("Sales", Some("en")));
    assert_eq!(line("north").routing.offer_timeout_ms, 300_000);
    assert_eq!(config.lines.len(), 2);
}

#[test]
fn a_set_may_be_split_over_files_and_folders() {
    let config = with([
        ("operators/north.yaml", "version: 1\noperators: {boris: {teams: [north]}}\nteams: {north: {}}\n"),
        ("lines/north.yaml", "version: 1\nlines: {north: {routing: {operators: [{team: north}]}}}\n"),
        ("templates/north.yaml", "version: 1\ntemplates: {bye: \"Bye\\n\"}\n"),
    ]);
    assert_eq!(config.members(&config.lines["north"].routing.members), ["boris".into()]);
    assert_eq!(config.templates["bye"].text[""], "Bye");
}

#[test]
fn a_plain_text_secret_is_kept_out_of_the_configuration() {
    let mut set = SourceSet::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/base"));
    let text = "version: 1\nchannels:\n  shop-telegram: {kind: telegram, line: sales, token: plain-word, webhook_secret: {env: S}}\n";
    set.files.insert("channels.yaml".to_owned(), text.to_owned());
    let loaded = load(&set);
    let bytes = switchboard::config::canonical::canonical(&loaded.config.unwrap()).unwrap().bytes;
    assert!(!String::from_utf8(bytes).unwrap().contains("plain-word"));
}

#[test]
fn a_header_is_a_text_or_a_secret_and_no_secret_is_kept_as_text() {
    let channels = |headers: &str| {
        format!(
            "version: 1\nchannels:\n  erp:\n    kind: webhook\n    line: sales\n    \
             signature: {{header: X-Signature, secret: {{env: S}}}}\n    inbound: {{id: $.id, chat: $.chat}}\n    \
             outbound: {{url: \"https://erp.example.com\", headers: {headers}, body: {{}}}}\n"
        )
    };
    let headers_of = |config: &Config| match &config.channels["erp"].settings {
        ChannelSettings::Webhook(settings) => {
            serde_json::to_value(&settings.outbound.as_ref().unwrap().headers).unwrap()
        }
        other => panic!("{other:?}"),
    };
    let text = channels("{X-Name: shop, X-Trace: {file: /run/trace}, Authorization: {env: ERP}}");
    assert_eq!(
        headers_of(&with([("channels.yaml", text.as_str())])),
        json!({"X-Name": "shop", "X-Trace": {"file": "/run/trace"}, "Authorization": {"env": "ERP"}})
    );
    // Plain text is a warning, so it is loaded; the value stays outside of the configuration.
    let mut set = SourceSet::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/base"));
    set.files.insert("channels.yaml".to_owned(), channels("{x-api-key: word-one, Cookie: word-two}"));
    let config = load(&set).config.unwrap();
    assert!(!serde_json::to_string(&config).unwrap().contains("word-"));
    let back: Config = serde_json::from_value(serde_json::to_value(&config).unwrap()).unwrap();
    assert_eq!(back, config);
}

#[test]
fn tests_that_may_be_true_together_are_not_complained_about() {
    let load_with = |condition: &str| {
        let mut set = SourceSet::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/base"));
        let text =
            "version: 1\nrules:\n  - {id: a, on: {event: message.received}, when: WHEN, do: [close]}\n";
        set.files.insert("rules/a.yaml".to_owned(), text.replace("WHEN", condition));
        load(&set).diagnostics
    };
    for fine in [
        "[{path: message.text, eq: a}, {path: $.message.text, ne: b}]",
        "[{path: message.text, eq: A, ignore_case: true}, {path: message.text, eq: a}]",
        "[{path: message.text, eq: A, ignore_case: true}, {path: message.text, ne: A}]",
        "[{path: message.text, in: [a, b]}, {path: message.text, in: [b, c]}]",
        "[{path: message.text, starts_with: ab}, {path: message.text, starts_with: a}]",
        "[{path: message.text, starts_with: a}, {path: message.text, starts_with: A, ignore_case: true}]",
        "[{path: message.text, contains: a}, {path: message.text, contains: b}, {path: message.text, size: 2}]",
        "[{path: dialog.unread, gte: 5}, {path: dialog.unread, lte: 5}]",
        "[{path: dialog.unread, between: [1, 5]}, {path: dialog.unread, gt: 4}]",
        "[{path: dialog.tags, has: a}, {path: dialog.tags, has: b}]",
        "[{path: '$.message.attachments[*].kind', eq: image}, {path: '$.message.attachments[*].kind', eq: file}]",
        "[{path: client.custom.size, exists: false}, {path: client.custom.size, ne: 43}]",
        "[{path: client.custom.size, eq: 43}, {path: client.custom.size, gte: 42.5}]",
        "[{path: dialog.topic, exists: false}, {path: dialog.priority, eq: high}]",
        "[{any: [{path: message.text, eq: a}, {path: message.text, eq: b}]}]",
        "[{path: message.text, eq: a}, {not: {path: message.text, eq: b}}]",
        "[{path: message.text, eq: a}, {none: [{path: message.text, eq: b}]}]",
    ] {
        assert_eq!(load_with(&format!("{{all: {fine}}}")), [], "{fine}");
    }
    for never in [
        "[{path: message.text, eq: A, ignore_case: true}, {path: message.text, eq: b}]",
        "[{path: message.text, in: [a, b]}, {path: message.text, not_in: [a, b]}]",
        "[{path: message.text, ends_with: a}, {path: message.text, ends_with: b}]",
        "[{path: dialog.unread, gt: 5}, {path: dialog.unread, lte: 5}]",
        "[{path: dialog.tags, size: 1}, {path: dialog.tags, size: 2}]",
        "[{path: dialog.topic, exists: false}, {path: dialog.topic, starts_with: a}]",
        "[{path: client.custom.size, eq: 43}, {path: client.custom.size, eq: \"43\"}]",
        "[{path: dialog.unread, gt: 5}, {any: [{path: message.text, eq: a, in: [b]}, {path: message.text, eq: c}]}]",
    ] {
        assert_eq!(load_with(&format!("{{all: {never}}}")).len(), 1, "{never}");
    }
}
