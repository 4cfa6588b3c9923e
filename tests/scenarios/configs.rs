//! The company of the scripts, and the settings by which a script changes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use switchboard::model::channel::ChannelKind;
use switchboard::model::config::Config;
use switchboard::model::event::EventKind;
use switchboard::model::line::{
    Ageing, Line, Member, NoAnswer, Nudge, OperatorIdentity, Otherwise, OverflowStage, QueuePosition,
    RatingPolicy, RoutingPolicy, Silence, Sticky, StickyTo, Strategy, Texts, Topic, Welcome, WelcomeEach,
};
use switchboard::model::operator::{Team, Vacation};
use switchboard::model::rule::{Condition, Content, Receiver, Rule, RuleAction, Test};
use switchboard::model::sla::{SlaClock, SlaPolicy};
use switchboard::model::template::Template;

use super::words::Words;
use crate::world::company::{calendar, channel, endpoint, operator, template};

/// A shop with two lines. `shop`: anna, boris and vera in order; `returns`: clara. The team `vip` (vera)
/// works for `shop`. Channels `shop-telegram` and `shop-site` lead to `shop`, `returns-telegram` to `returns`.
pub(crate) fn shop() -> Config {
    let mut config = Config::default();
    for (id, teams) in [("anna", vec![]), ("boris", vec![]), ("vera", vec!["vip"]), ("clara", vec![])] {
        config.operators.insert(id.into(), operator(id, teams));
    }
    let team = Team { lines: BTreeSet::from(["shop".into()]), supervisors: BTreeSet::new() };
    config.teams.insert("vip".into(), team);
    config.lines.insert("shop".into(), line(&["anna", "boris", "vera"]));
    config.lines.insert("returns".into(), line(&["clara"]));
    for (id, line, kind) in [
        ("shop-telegram", "shop", ChannelKind::Telegram),
        ("shop-site", "shop", ChannelKind::Webhook),
        ("returns-telegram", "returns", ChannelKind::Telegram),
    ] {
        config.channels.insert(id.into(), channel(line, kind));
    }
    config.daemon.endpoints.insert("crm".into(), endpoint());
    config
}

fn line(members: &[&str]) -> Line {
    Line {
        name: members.join(", "),
        language: None,
        calendar: None,
        routing: RoutingPolicy {
            strategy: Strategy::InOrder,
            members: members.iter().map(|id| Member::Operator((*id).into())).collect(),
            ..RoutingPolicy::default()
        },
        base_priority: 0,
        ageing: None,
        texts: Texts::default(),
        closing: None,
        reopen_window_ms: 0,
        silence: None,
        rating: None,
        operator_identity: None,
        sla: Vec::new(),
    }
}

/// Changes a configuration as one line of a script says. Settings of a line apply to `shop`, or to
/// the line named by `on LINE` at the end.
pub(crate) fn set(config: &mut Config, words: &mut Words) {
    let on = words.take_suffix("on").unwrap_or_else(|| "shop".to_owned());
    let setting = words.word();
    let mut row = config.lines.get(on.as_str()).cloned();
    if let Some(line) = row.as_mut() {
        match setting.as_str() {
            "strategy" => line.routing.strategy = serde_json::from_value(json!(words.word())).unwrap(),
            "members" => line.routing.members = words.rest().iter().map(|id| member(id)).collect(),
            "offer_timeout" => line.routing.offer_timeout_ms = words.duration_ms(),
            "presence" => line.routing.require_presence = words.word() == "required",
            "limit" => line.routing.limit_milli = Some(words.thousandths()),
            "counts" => line.routing.counts = serde_json::from_value(json!(words.word())).unwrap(),
            "max_rounds" => line.routing.max_rounds = Some(words.word().parse().unwrap()),
            "max_missed" => line.routing.max_missed = Some(words.word().parse().unwrap()),
            "on_return" => line.routing.max_offers_on_return = Some(words.word().parse().unwrap()),
            "sticky" => {
                let wait_ms = words.duration_ms();
                line.routing.sticky = Some(Sticky { to: vec![StickyTo::LastOperator], wait_ms });
            }
            "ageing" => {
                let every_ms = words.duration_ms();
                let gain = words.word().parse().unwrap();
                let cap = words.skip("cap").then(|| words.word().parse().unwrap());
                line.ageing = Some(Ageing { every_ms, gain, cap });
            }
            "sla" => line.sla.push(policy(words)),
            "no_sla" => line.sla.clear(),
            "topic" => line.routing.topics.push(topic(words)),
            "overflow" => line.routing.overflow.push(stage(words)),
            "otherwise" => {
                let after_ms = words.duration_ms();
                words.expect(":");
                line.routing.otherwise = Some(Otherwise { after_ms, actions: actions(words) });
            }
            "weight" => {
                let kind = serde_json::from_value(json!(words.word())).unwrap();
                line.routing.weights_milli.insert(kind, words.thousandths());
            }
            "welcome" => {
                let each =
                    if words.word() == "dialog" { WelcomeEach::Dialog } else { WelcomeEach::FirstContact };
                let template = add_template(&mut config.templates, &words.word());
                line.texts.welcome = Some(Welcome { template, each });
            }
            "out_of_hours" => {
                line.texts.out_of_hours = Some(add_template(&mut config.templates, &words.word()));
            }
            "consent" => line.texts.consent = Some(add_template(&mut config.templates, &words.word())),
            "no_answer" => {
                let after_ms = words.duration_ms();
                let template = add_template(&mut config.templates, &words.word());
                line.texts.no_answer = Some(NoAnswer { after_ms, template });
            }
            "queue_position" => {
                let every_ms = words.duration_ms();
                let template = add_template(&mut config.templates, &words.word());
                line.texts.queue_position = Some(QueuePosition { every_ms, template });
            }
            "silence" => {
                let silence = line.silence.get_or_insert_with(|| Silence {
                    nudges: Vec::new(),
                    close_after_ms: Silence::CLOSE_AFTER_MS,
                    pause_limit_ms: Silence::PAUSE_LIMIT_MS,
                    labels: BTreeMap::new(),
                });
                match words.word().as_str() {
                    "close_after" => silence.close_after_ms = words.duration_ms(),
                    "pause_limit" => silence.pause_limit_ms = words.duration_ms(),
                    "nudge" => silence.nudges.push(Nudge {
                        after_ms: words.duration_ms(),
                        template: add_template(&mut config.templates, &words.word()),
                        choices: words
                            .rest()
                            .iter()
                            .map(|word| serde_json::from_value(json!(word)).unwrap())
                            .collect(),
                    }),
                    other => panic!("silence has no {other}"),
                }
            }
            "rating" => {
                let scale = serde_json::from_value(json!(words.word())).unwrap();
                let template = add_template(&mut config.templates, &words.word());
                let window_ms =
                    if words.skip("within") { words.duration_ms() } else { RatingPolicy::WINDOW_MS };
                let thanks = words.skip("thanks").then(|| add_template(&mut config.templates, &words.word()));
                line.rating = Some(RatingPolicy { scale, window_ms, template, thanks });
            }
            "no_rating" => line.rating = None,
            "reopen_window" => line.reopen_window_ms = words.duration_ms(),
            "identity" => {
                line.operator_identity = Some(match words.word().as_str() {
                    "profile" => OperatorIdentity::Profile,
                    "hidden" => OperatorIdentity::Hidden,
                    "alias" => {
                        let name = Some(words.word());
                        let mut operators = BTreeMap::new();
                        while words.skip("for") {
                            operators.insert(words.word().as_str().into(), words.word());
                        }
                        OperatorIdentity::Alias { name, operators }
                    }
                    other => panic!("there is no identity {other}"),
                });
            }
            "language" => line.language = Some(words.word()),
            "closing" => line.closing = Some(add_template(&mut config.templates, &words.word())),
            "hours" => {
                let (from, to) = (words.minutes(), words.minutes());
                let zone = if words.skip("zone") { words.word() } else { "UTC".to_owned() };
                config.calendars.insert("hours".into(), calendar(&zone, from, to));
                line.calendar = Some("hours".into());
            }
            _ => {}
        }
    }
    if let Some(line) = row {
        config.lines.insert(on.as_str().into(), line);
    }
    match setting.as_str() {
        "capacity" => {
            let operator = words.word();
            let capacity_milli = Some(words.thousandths());
            config.operators.get_mut(operator.as_str()).unwrap().capacity_milli = capacity_milli;
        }
        "skills" | "languages" => {
            let operator = config.operators.get_mut(words.word().as_str()).unwrap();
            let list = words.word().split(',').map(str::to_owned).collect();
            if setting == "skills" {
                operator.skills = list;
            } else {
                operator.languages = list;
            }
        }
        "shift" => {
            let operator = words.word();
            let (from, to) = (words.minutes(), words.minutes());
            config.calendars.insert(operator.as_str().into(), calendar("UTC", from, to));
            config.operators.get_mut(operator.as_str()).unwrap().calendar = Some(operator.as_str().into());
        }
        "vacation" => {
            let operator = config.operators.get_mut(words.word().as_str()).unwrap();
            let (from, to) = (words.word().parse().unwrap(), words.word().parse().unwrap());
            operator.vacation.push(Vacation { from, to });
        }
        "inactive" => config.operators.get_mut(words.word().as_str()).unwrap().inactive = true,
        "channel" => {
            let id = words.word();
            let kind = words.skip("kind").then(|| serde_json::from_value(json!(words.word())).unwrap());
            config.channels.insert(id.into(), channel(&on, kind.unwrap_or(ChannelKind::Telegram)));
        }
        "no_operator" => {
            let gone = words.word();
            config.operators.remove(gone.as_str());
            for line in config.lines.values_mut() {
                line.routing.members.retain(|member| *member != Member::Operator(gone.as_str().into()));
            }
        }
        "no_line" => {
            let gone = words.word();
            config.lines.remove(gone.as_str());
            config.channels.retain(|_, channel| channel.line.as_str() != gone);
        }
        "template" => {
            let id = words.word();
            config.templates.insert(id.as_str().into(), template(&words.word()));
        }
        "rule" => config.rules.push(rule(words)),
        _ => {}
    }
    words.end();
}

fn member(id: &str) -> Member {
    match id.strip_prefix("team:") {
        Some(team) => Member::Team(team.into()),
        None => Member::Operator(id.into()),
    }
}

fn add_template(
    templates: &mut BTreeMap<switchboard::model::id::TemplateId, Template>,
    text: &str,
) -> switchboard::model::id::TemplateId {
    let id = format!("text-{}", templates.len());
    templates.insert(id.as_str().into(), template(text));
    id.as_str().into()
}

/// `NAME on EVENT [when PATH contains|is VALUE] [stop] : ACTION; ACTION …`
fn rule(words: &mut Words) -> Rule {
    let id = words.word();
    words.expect("on");
    let name = words.word();
    let event = EventKind::ALL.iter().copied().find(|kind| kind.as_str() == name);
    let mut rule = Rule {
        id: id.as_str().into(),
        event: event.unwrap_or_else(|| panic!("there is no event {name}")),
        when: None,
        actions: Vec::new(),
        priority: 0,
        stop: false,
    };
    if words.skip("when") {
        let path = words.word();
        let test = match words.word().as_str() {
            "contains" => Test::Contains(words.word()),
            _ => Test::Eq(words.value()),
        };
        rule.when = Some(Condition::Test { path, tests: vec![test], ignore_case: true });
    }
    rule.stop = words.skip("stop");
    words.expect(":");
    rule.actions = actions(words);
    rule
}

fn actions(words: &mut Words) -> Vec<RuleAction> {
    let mut actions = vec![action(words)];
    while words.skip(";") {
        actions.push(action(words));
    }
    actions
}

/// `NAME when TEXT [to MEMBERS] [skills SKILLS] [priority NUMBER]`; lists are joined by commas.
fn topic(words: &mut Words) -> Topic {
    let topic = words.word().as_str().into();
    words.expect("when");
    let tests = vec![Test::Contains(words.word())];
    let when = Condition::Test { path: "message.text".to_owned(), tests, ignore_case: true };
    let operators = if words.skip("to") { words.word().split(',').map(member).collect() } else { Vec::new() };
    let skills = if words.skip("skills") {
        words.word().split(',').map(str::to_owned).collect()
    } else {
        BTreeSet::new()
    };
    let priority = words.skip("priority").then(|| words.word().parse().unwrap());
    Topic { topic, when, operators, skills, priority }
}

/// `AFTER add MEMBERS`, `AFTER replace MEMBERS`, `AFTER drop_skills` or `AFTER line NAME`.
/// `TARGET TIME … [clock working] [pause WORD …] [from priority N]`
fn policy(words: &mut Words) -> SlaPolicy {
    let mut policy = SlaPolicy {
        when: None,
        targets_ms: BTreeMap::new(),
        clock: SlaClock::Wall,
        warn_at_percent: SlaPolicy::WARN_AT_PERCENT,
        pause_when: BTreeSet::new(),
    };
    if words.skip("from") {
        words.expect("priority");
        let least = words.value();
        policy.when = Some(Condition::Test {
            path: "dialog.priority".to_owned(),
            tests: vec![Test::Gte(least)],
            ignore_case: false,
        });
    }
    while !words.is_empty() {
        match words.word().as_str() {
            "warn" => policy.warn_at_percent = words.value().as_u64().unwrap().try_into().unwrap(),
            "clock" => policy.clock = serde_json::from_value(json!(words.word())).unwrap(),
            "pause" => {
                policy.pause_when.insert(serde_json::from_value(json!(words.word())).unwrap());
            }
            target => {
                let target = serde_json::from_value(json!(target)).unwrap();
                policy.targets_ms.insert(target, words.duration_ms());
            }
        }
    }
    policy
}

fn stage(words: &mut Words) -> OverflowStage {
    let after_ms = words.duration_ms();
    let mut stage =
        OverflowStage { after_ms, add: Vec::new(), replace: Vec::new(), drop_skills: false, line: None };
    match words.word().as_str() {
        "add" => stage.add = words.rest().iter().map(|id| member(id)).collect(),
        "replace" => stage.replace = words.rest().iter().map(|id| member(id)).collect(),
        "drop_skills" => stage.drop_skills = true,
        _ => stage.line = Some(words.word().as_str().into()),
    }
    stage
}

fn action(words: &mut Words) -> RuleAction {
    match words.word().as_str() {
        "reply" => RuleAction::Reply(Content::Text(words.word())),
        "note" => RuleAction::Note(words.word()),
        "add_tags" => RuleAction::AddTags(BTreeSet::from([words.word()])),
        "set_priority" => RuleAction::SetPriority(words.word().parse().unwrap()),
        "set_topic" => RuleAction::SetTopic(words.word().as_str().into()),
        "close" => RuleAction::Close,
        "spam" => RuleAction::Spam,
        "pause" => RuleAction::Pause { for_ms: words.skip("for").then(|| words.duration_ms()) },
        "requeue" => RuleAction::Requeue { reason: Some(words.word()) },
        "notify" => RuleAction::Notify {
            endpoint: words.word().as_str().into(),
            content: Some(Content::Text(words.word())),
        },
        "transfer" => {
            let to = receiver(words);
            let otherwise = words.skip("else").then(|| receiver(words));
            RuleAction::Transfer { to, otherwise }
        }
        other => panic!("there is no action {other}"),
    }
}

fn receiver(words: &mut Words) -> Receiver {
    match words.word().as_str() {
        "team" => Receiver::Team(words.word().as_str().into()),
        "line" => Receiver::Line(words.word().as_str().into()),
        operator => Receiver::Operator(operator.into()),
    }
}
