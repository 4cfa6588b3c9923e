//! Random configurations over a fixed cast, so that each can follow any other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use switchboard::model::channel::ChannelKind;
use switchboard::model::config::Config;
use switchboard::model::event::EventKind;
use switchboard::model::line::{
    Ageing, Counts, Line, Member, NoAnswer, Nudge, NudgeChoice, OperatorIdentity, Otherwise, OverflowStage,
    QueuePosition, RatingPolicy, RatingScale, RoutingPolicy, Silence, Sticky, StickyTo, Strategy, Texts,
    Topic, Welcome, WelcomeEach,
};
use switchboard::model::operator::{Operator, Team, Vacation};
use switchboard::model::rule::{Condition, Content, Receiver, Rule, RuleAction, Test};
use switchboard::model::sla::{SlaClock, SlaPause, SlaPolicy, SlaTarget};

use crate::world::company::{calendar, channel, endpoint, operator, template};
use crate::world::random::Random;

pub(crate) const LINES: [&str; 3] = ["sales", "help", "night"];
pub(crate) const TEAMS: [&str; 2] = ["vip", "old"];
pub(crate) const OPERATORS: [&str; 5] = ["anna", "boris", "clara", "denis", "elena"];
pub(crate) const CHANNELS: [&str; 5] = ["telegram", "site", "mail", "whatsapp", "messenger"];
const KINDS: [ChannelKind; 5] = [
    ChannelKind::Telegram,
    ChannelKind::Webhook,
    ChannelKind::Email,
    ChannelKind::Whatsapp,
    ChannelKind::Messenger,
];
const SKILLS: [&str; 3] = ["billing", "returns", "delivery"];
pub(crate) const LANGUAGES: [&str; 3] = ["en", "ru", "de-AT"];
const STRATEGIES: [Strategy; 4] =
    [Strategy::InOrder, Strategy::RoundRobin, Strategy::LeastLoaded, Strategy::Broadcast];

/// A configuration that a company might have, or might have by mistake.
pub(crate) fn any(random: &mut Random) -> Config {
    let mut config = Config::default();
    for name in ["hello", "closed", "bye"] {
        config.templates.insert(name.into(), template(&format!("{name} {{{{ client.name }}}}")));
    }
    let place = template("You are number {{ queue.position }}");
    config.templates.insert("place".into(), place);
    config.calendars.insert("office".into(), calendar("Europe/Moscow", 9 * 60, 18 * 60));
    config.calendars.insert("night".into(), calendar("America/New_York", 22 * 60, 6 * 60));
    config.daemon.endpoints.insert("crm".into(), endpoint());
    for team in TEAMS {
        if random.chance(85) {
            let lines = LINES.iter().filter(|_| random.chance(50)).map(|line| (*line).into()).collect();
            config.teams.insert(team.into(), Team { lines, supervisors: BTreeSet::new() });
        }
    }
    for name in OPERATORS {
        if random.chance(85) {
            let teams =
                TEAMS.into_iter().filter(|team| config.teams.contains_key(*team) && random.chance(40));
            let mut row = operator(name, teams);
            about(random, &mut row);
            row.capacity_milli =
                random.chance(50).then(|| u32::try_from(500 * (1 + random.below(6))).unwrap());
            config.operators.insert(name.into(), row);
        }
    }
    for name in LINES {
        if random.chance(92) {
            config.lines.insert(name.into(), line(random, name, &config));
        }
    }
    let names: Vec<_> = config.lines.keys().cloned().collect();
    for (name, kind) in CHANNELS.into_iter().zip(KINDS) {
        if !names.is_empty() && random.chance(92) {
            config.channels.insert(name.into(), channel(random.pick(&names).as_str(), kind));
        }
    }
    config.rules = rules(random);
    config
}

fn line(random: &mut Random, name: &str, config: &Config) -> Line {
    let mut members: Vec<Member> = Vec::new();
    for operator in config.operators.keys() {
        if random.chance(50) {
            members.push(Member::Operator(operator.clone()));
        }
    }
    for team in config.teams.keys() {
        if random.chance(30) {
            members.push(Member::Team(team.clone()));
        }
    }
    if random.chance(50) {
        members.reverse();
    }
    let weights_milli = if random.chance(40) {
        BTreeMap::from([(*random.pick(&KINDS), *random.pick(&[250u32, 500, 2000]))])
    } else {
        BTreeMap::new()
    };
    let each = *random.pick(&[WelcomeEach::FirstContact, WelcomeEach::Dialog]);
    let line_ageing = random.chance(50).then(|| ageing(random));
    Line {
        name: name.to_owned(),
        language: None,
        calendar: random.chance(40).then(|| "office".into()),
        routing: RoutingPolicy {
            strategy: *random.pick(&STRATEGIES),
            members,
            offer_timeout_ms: *random.pick(&[0, 5_000, 60_000, 60_000]),
            require_presence: random.chance(80),
            limit_milli: random.chance(50).then(|| u32::try_from(1000 * (1 + random.below(3))).unwrap()),
            weights_milli,
            counts: *random.pick(&[Counts::UntilClosed, Counts::UntilClientTurn, Counts::UntilFirstAnswer]),
            max_rounds: some_of(random, 30, 3),
            max_missed: some_of(random, 30, 3),
            max_offers_on_return: some_of(random, 40, 3),
            sticky: random.chance(40).then(|| Sticky {
                to: vec![StickyTo::LastOperator],
                wait_ms: *random.pick(&[5_000, 30_000, 60_000]),
            }),
            topics: topics(random, config),
            overflow: overflow(random, config),
            otherwise: random.chance(30).then(|| Otherwise {
                after_ms: *random.pick(&[60_000, 600_000]),
                actions: (0..=random.below(2)).map(|_| action(random)).collect(),
            }),
        },
        base_priority: i32::try_from(random.below(3)).unwrap(),
        ageing: line_ageing,
        texts: Texts {
            welcome: random.chance(40).then(|| Welcome { template: "hello".into(), each }),
            out_of_hours: random.chance(40).then(|| "closed".into()),
            consent: random.chance(30).then(|| "closed".into()),
            no_answer: random
                .chance(40)
                .then(|| NoAnswer { after_ms: time(random), template: "hello".into() }),
            queue_position: random
                .chance(30)
                .then(|| QueuePosition { every_ms: 30_000 + time(random), template: "place".into() }),
        },
        closing: random.chance(40).then(|| "bye".into()),
        reopen_window_ms: if random.chance(50) { time(random) } else { 0 },
        silence: random.chance(50).then(|| silence(random)),
        rating: random.chance(60).then(|| RatingPolicy {
            scale: *random.pick(&[RatingScale::LikeDislike, RatingScale::OneToFive]),
            window_ms: time(random),
            template: "hello".into(),
            thanks: random.chance(50).then(|| "bye".into()),
        }),
        operator_identity: match random.below(4) {
            0 => Some(OperatorIdentity::Profile),
            1 => Some(OperatorIdentity::Hidden),
            2 => Some(OperatorIdentity::Alias {
                name: random.chance(50).then(|| "Support".to_owned()),
                operators: BTreeMap::from([("anna".into(), "A.".to_owned())]),
            }),
            _ => None,
        },
        sla: (0..random.below(3)).map(|_| promise(random)).collect(),
    }
}

/// Short enough to be over within a history, long enough to be overtaken.
fn time(random: &mut Random) -> u64 {
    *random.pick(&[1_000, 20_000, 60_000, 600_000, 3_600_000])
}

fn silence(random: &mut Random) -> Silence {
    let mut nudges: Vec<Nudge> = (0..random.below(3))
        .map(|_| Nudge {
            after_ms: time(random),
            template: "hello".into(),
            choices: NudgeChoice::ALL.into_iter().filter(|_| random.chance(70)).collect(),
        })
        .collect();
    nudges.sort_by_key(|nudge| nudge.after_ms);
    Silence {
        nudges,
        close_after_ms: time(random),
        pause_limit_ms: time(random),
        labels: BTreeMap::from([(NudgeChoice::Close, "Enough".to_owned())]),
    }
}

fn promise(random: &mut Random) -> SlaPolicy {
    let least = random.below(4);
    let pauses = [SlaPause::OutsideHours, SlaPause::OperatorUnavailable, SlaPause::WaitingClient];
    SlaPolicy {
        when: random.chance(40).then(|| Condition::Test {
            path: "dialog.priority".to_owned(),
            tests: vec![Test::Gte(least.into())],
            ignore_case: false,
        }),
        targets_ms: SlaTarget::ALL
            .into_iter()
            .filter(|_| random.chance(60))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|target| (target, *random.pick(&[5_000, 60_000, 600_000])))
            .collect(),
        clock: *random.pick(&[SlaClock::Wall, SlaClock::Working]),
        warn_at_percent: *random.pick(&[50, 80, 100]),
        pause_when: pauses.into_iter().filter(|_| random.chance(30)).collect(),
    }
}

/// What else there is to say about an operator.
fn about(random: &mut Random, row: &mut Operator) {
    row.skills = SKILLS.into_iter().filter(|_| random.chance(50)).map(str::to_owned).collect();
    if random.chance(40) {
        row.languages = LANGUAGES.into_iter().filter(|_| random.chance(60)).map(str::to_owned).collect();
    }
    row.calendar = random.chance(30).then(|| (*random.pick(&["office", "night"])).into());
    row.inactive = random.chance(5);
    if random.chance(10) {
        let (from, to) = ("2026-03-03".parse().unwrap(), "2026-03-04".parse().unwrap());
        row.vacation.push(Vacation { from, to });
    }
}

fn some_of(random: &mut Random, percent: u64, most: u64) -> Option<u32> {
    random.chance(percent).then(|| u32::try_from(1 + random.below(most)).unwrap())
}

fn ageing(random: &mut Random) -> Ageing {
    Ageing {
        every_ms: *random.pick(&[1_000, 10_000, 60_000]),
        gain: *random.pick(&[1, 2]),
        cap: some_of(random, 60, 6),
    }
}

fn some_members(random: &mut Random, config: &Config) -> Vec<Member> {
    let operators: Vec<_> = config.operators.keys().filter(|_| random.chance(40)).cloned().collect();
    let teams: Vec<_> = config.teams.keys().filter(|_| random.chance(30)).cloned().collect();
    operators.into_iter().map(Member::Operator).chain(teams.into_iter().map(Member::Team)).collect()
}

fn topics(random: &mut Random, config: &Config) -> Vec<Topic> {
    let mut topics = Vec::new();
    for (number, name) in SKILLS.into_iter().enumerate() {
        if random.chance(35) {
            topics.push(Topic {
                topic: name.into(),
                when: Condition::Test {
                    path: "message.text".into(),
                    tests: vec![Test::Eq(json!(format!("text {number}")))],
                    ignore_case: false,
                },
                operators: if random.chance(50) { some_members(random, config) } else { Vec::new() },
                skills: random.chance(50).then(|| name.to_owned()).into_iter().collect(),
                priority: some_of(random, 40, 5).map(|priority| i32::try_from(priority).unwrap()),
            });
        }
    }
    topics
}

fn overflow(random: &mut Random, config: &Config) -> Vec<OverflowStage> {
    let count = if random.chance(50) { 0 } else { 1 + random.below(3) };
    (1..=count)
        .map(|number| {
            let mut stage = OverflowStage {
                after_ms: number * *random.pick(&[5_000, 30_000, 120_000]),
                add: Vec::new(),
                replace: Vec::new(),
                drop_skills: false,
                line: None,
            };
            match random.below(5) {
                0 | 1 => stage.add = some_members(random, config),
                2 => stage.replace = some_members(random, config),
                3 => stage.drop_skills = true,
                _ => stage.line = Some((*random.pick(&LINES)).into()),
            }
            stage
        })
        .collect()
}

fn rules(random: &mut Random) -> Vec<Rule> {
    let events = [
        EventKind::DialogOpened,
        EventKind::DialogQueued,
        EventKind::DialogOffered,
        EventKind::DialogOfferEnded,
        EventKind::DialogAccepted,
        EventKind::DialogTransferred,
        EventKind::DialogUpdated,
        EventKind::DialogOverflowed,
        EventKind::DialogUnanswered,
        EventKind::DialogClosing,
        EventKind::DialogReturned,
        EventKind::DialogClosed,
        EventKind::DialogReopened,
        EventKind::DialogRated,
        EventKind::DialogJoined,
        EventKind::MessageRead,
        EventKind::MessageDeleted,
        EventKind::TextNotSent,
        EventKind::MessageReceived,
        EventKind::MessageQueued,
        EventKind::MessageSent,
        EventKind::MessageFailed,
        EventKind::MessageEdited,
        EventKind::NoteAdded,
        EventKind::ClientBlocked,
        EventKind::DeliveryDead,
    ];
    let count = if random.chance(40) { 0 } else { random.below(7) };
    (0..count)
        .map(|number| Rule {
            id: format!("rule-{number}").into(),
            event: *random.pick(&events),
            when: random.chance(60).then(|| Condition::Test {
                path: "dialog.priority".into(),
                tests: vec![Test::Lt(json!(random.below(6)))],
                ignore_case: false,
            }),
            actions: (0..=random.below(2)).map(|_| action(random)).collect(),
            priority: 0,
            stop: random.chance(10),
        })
        .collect()
}

fn action(random: &mut Random) -> RuleAction {
    match random.below(11) {
        10 => RuleAction::Requeue { reason: random.chance(50).then(|| "elsewhere".to_owned()) },
        0 | 1 => RuleAction::Reply(Content::Text("Thank you, {{ client.name }}".into())),
        2 => RuleAction::Reply(Content::Template("hello".into())),
        3 => RuleAction::Note("seen {{ event.type }}".into()),
        4 => RuleAction::AddTags(BTreeSet::from([format!("tag-{}", random.below(3))])),
        5 => RuleAction::SetPriority(i32::try_from(random.below(5)).unwrap()),
        6 => RuleAction::SetTopic("billing".into()),
        7 => RuleAction::Transfer {
            to: receiver(random),
            otherwise: random.chance(30).then(|| receiver(random)),
        },
        8 if random.chance(30) => RuleAction::Close,
        8 if random.chance(30) => RuleAction::Spam,
        9 if random.chance(50) => RuleAction::Pause { for_ms: random.chance(50).then(|| time(random)) },
        _ => RuleAction::Notify { endpoint: "crm".into(), content: None },
    }
}

fn receiver(random: &mut Random) -> Receiver {
    match random.below(3) {
        0 => Receiver::Operator((*random.pick(&OPERATORS)).into()),
        1 => Receiver::Team((*random.pick(&TEAMS)).into()),
        _ => Receiver::Line((*random.pick(&LINES)).into()),
    }
}

/// A configuration under which everything can be finished: everybody may take everything.
pub(crate) fn healed(random: &mut Random) -> Config {
    let mut config = any(random);
    config.rules.clear();
    for team in TEAMS {
        config.teams.insert(team.into(), Team { lines: BTreeSet::new(), supervisors: BTreeSet::new() });
    }
    for name in OPERATORS {
        config.operators.insert(name.into(), operator(name, TEAMS));
    }
    for name in LINES {
        let mut line = line(random, name, &config);
        line.routing.members =
            OPERATORS.iter().map(|operator| Member::Operator((*operator).into())).collect();
        line.routing.limit_milli = None;
        line.routing.max_offers_on_return = None;
        line.routing.topics.clear();
        line.routing.overflow.clear();
        line.routing.otherwise = None;
        config.lines.insert(name.into(), line);
    }
    for (name, kind) in CHANNELS.into_iter().zip(KINDS) {
        config.channels.insert(name.into(), channel(LINES[0], kind));
    }
    config
}
