//! Reads calendars and open lines.

use std::collections::{BTreeMap, BTreeSet};

use super::conditions::condition;
use super::rules::action;
use super::{boolean, list, maybe, maybe_text, named, own, word};
use crate::config::facts::Facts;
use crate::config::grammar::channels::kind_of;
use crate::config::scalar;
use crate::config::tree::{Entry, Node};
use crate::model::calendar::{Calendar, Day, Interval};
use crate::model::id::{CalendarId, LineId, TemplateId};
use crate::model::line::{
    Ageing, Counts, Line, Member, NoAnswer, Nudge, NudgeChoice, OperatorIdentity, Otherwise, OverflowStage,
    QueuePosition, RatingPolicy, RoutingPolicy, Silence, Sticky, StickyTo, Strategy, Texts, Topic, Welcome,
    WelcomeEach,
};
use crate::model::sla::{SlaPolicy, SlaTarget};

pub(super) fn calendars(roots: &[&Node]) -> Option<BTreeMap<CalendarId, Calendar>> {
    named(roots, "calendars")
        .into_iter()
        .map(|entry| Some((entry.key.text.as_str().into(), calendar(&entry.value)?)))
        .collect()
}

fn calendar(node: &Node) -> Option<Calendar> {
    let mut week: [Vec<Interval>; 7] = Default::default();
    for entry in own_entries(node, "week") {
        let hours = hours(&entry.value)?;
        for day in scalar::weekdays(&entry.key.text).ok()? {
            week.get_mut(day)?.clone_from(&hours);
        }
    }
    let closed =
        node.get("closed").map_or(Some(Vec::new()), |days| list(days, |day| day.text()?.parse().ok()))?;
    let open = own_entries(node, "open")
        .map(|entry| Some((entry.key.text.parse::<Day>().ok()?, hours(&entry.value)?)))
        .collect::<Option<_>>()?;
    Some(Calendar {
        timezone: node.get("timezone")?.text()?.to_owned(),
        week,
        closed: closed.into_iter().collect::<BTreeSet<Day>>(),
        open,
    })
}

fn own_entries<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n Entry> {
    node.get(key).into_iter().flat_map(own)
}

/// The hours of a day, in order.
fn hours(node: &Node) -> Option<Vec<Interval>> {
    let mut hours = list(node, |item| {
        let (from, to) = scalar::interval(item.text()?).ok()?;
        Some(Interval { from, to })
    })?;
    hours.sort_unstable();
    Some(hours)
}

pub(super) fn lines(roots: &[&Node]) -> Option<BTreeMap<LineId, Line>> {
    named(roots, "lines")
        .into_iter()
        .map(|entry| Some((entry.key.text.as_str().into(), line(entry)?)))
        .collect()
}

fn line(entry: &Entry) -> Option<Line> {
    let node = &entry.value;
    Some(Line {
        name: maybe_text(node, "name")?.unwrap_or_else(|| entry.key.text.clone()),
        language: maybe_text(node, "language")?,
        calendar: maybe(node, "calendar", |value| value.text().map(CalendarId::from))?,
        routing: routing(node.get("routing")?)?,
        base_priority: node
            .at(&["priority", "base"])
            .map_or(Some(0), |base| scalar::priority(base.text()?).ok())?,
        ageing: node.at(&["priority", "ageing"]).map_or(Some(None), |value| ageing(value).map(Some))?,
        texts: node.get("texts").map_or(Some(Texts::default()), texts)?,
        closing: node.at(&["closing", "template"]).map_or(Some(None), |id| template(id).map(Some))?,
        reopen_window_ms: node.at(&["closing", "reopen_window"]).map_or(Some(0), time_ms)?,
        silence: maybe(node, "silence", silence)?,
        rating: maybe(node, "rating", rating)?,
        operator_identity: maybe(node, "operator_identity", identity)?,
        // One whose condition uses what is not acted on yet is left out, as a rule would be.
        sla: node.get("sla").map_or(&[] as &[Node], Node::items).iter().filter_map(sla_policy).collect(),
    })
}

fn time_ms(node: &Node) -> Option<u64> {
    scalar::duration_ms(node.text()?).ok()
}

fn silence(node: &Node) -> Option<Silence> {
    let mut nudges = maybe(node, "nudges", |nudges| list(nudges, nudge))?.unwrap_or_default();
    nudges.sort_by_key(|nudge| nudge.after_ms);
    let labels = own_entries(node, "labels")
        .map(|entry| {
            let choice = NudgeChoice::ALL.into_iter().find(|choice| choice.as_str() == entry.key.text)?;
            Some((choice, entry.value.text()?.to_owned()))
        })
        .collect::<Option<_>>()?;
    Some(Silence {
        nudges,
        close_after_ms: maybe(node, "close_after", time_ms)?.unwrap_or(Silence::CLOSE_AFTER_MS),
        pause_limit_ms: maybe(node, "pause_limit", time_ms)?.unwrap_or(Silence::PAUSE_LIMIT_MS),
        labels,
    })
}

fn nudge(node: &Node) -> Option<Nudge> {
    Some(Nudge {
        after_ms: time_ms(node.get("after")?)?,
        template: template(node.get("template")?)?,
        choices: maybe(node, "choices", |choices| list(choices, word))?.unwrap_or_default(),
    })
}

fn rating(node: &Node) -> Option<RatingPolicy> {
    Some(RatingPolicy {
        scale: word(node.get("scale")?)?,
        window_ms: maybe(node, "window", time_ms)?.unwrap_or(RatingPolicy::WINDOW_MS),
        template: template(node.get("template")?)?,
        thanks: maybe(node, "thanks", template)?,
    })
}

fn identity(node: &Node) -> Option<OperatorIdentity> {
    match node.text() {
        Some("profile") => Some(OperatorIdentity::Profile),
        Some("hidden") => Some(OperatorIdentity::Hidden),
        Some(_) => None,
        None => Some(OperatorIdentity::Alias {
            name: maybe_text(node, "alias")?,
            operators: own_entries(node, "operators")
                .map(|entry| Some((entry.key.text.as_str().into(), entry.value.text()?.to_owned())))
                .collect::<Option<_>>()?,
        }),
    }
}

fn template(node: &Node) -> Option<TemplateId> {
    node.text().map(TemplateId::from)
}

fn texts(node: &Node) -> Option<Texts> {
    let welcome = maybe(node, "welcome", |welcome| {
        Some(Welcome {
            template: template(welcome.get("template")?)?,
            each: maybe(welcome, "each", word)?.unwrap_or(WelcomeEach::FirstContact),
        })
    })?;
    let out_of_hours = maybe(node, "out_of_hours", |text| template(text.get("template")?))?;
    let consent = maybe(node, "consent", |text| template(text.get("template")?))?;
    let no_answer = maybe(node, "no_answer", |text| {
        Some(NoAnswer { after_ms: time_ms(text.get("after")?)?, template: template(text.get("template")?)? })
    })?;
    let queue_position = maybe(node, "queue_position", |text| {
        Some(QueuePosition {
            every_ms: time_ms(text.get("every")?)?,
            template: template(text.get("template")?)?,
        })
    })?;
    Some(Texts { welcome, out_of_hours, consent, no_answer, queue_position })
}

fn ageing(node: &Node) -> Option<Ageing> {
    Some(Ageing {
        every_ms: time_ms(node.get("every")?)?,
        gain: count(node.get("gain")?)?,
        cap: maybe(node, "cap", count)?,
    })
}

fn count(node: &Node) -> Option<u32> {
    node.text()?.parse().ok()
}

fn routing(node: &Node) -> Option<RoutingPolicy> {
    let mut weights = BTreeMap::new();
    for entry in node.at(&["capacity", "weights"]).into_iter().flat_map(own) {
        weights.insert(kind_of(&entry.key.text)?, amount(&entry.value)?);
    }
    let topics = node.get("topics").map_or(&[] as &[Node], Node::items);
    Some(RoutingPolicy {
        strategy: maybe(node, "strategy", word)?.unwrap_or(Strategy::RoundRobin),
        members: members(node, "operators")?,
        offer_timeout_ms: maybe(node, "offer_timeout", time_ms)?.unwrap_or(RoutingPolicy::OFFER_TIMEOUT_MS),
        require_presence: maybe(node, "require_presence", boolean)?.unwrap_or(true),
        limit_milli: node.at(&["capacity", "limit"]).map_or(Some(None), |limit| amount(limit).map(Some))?,
        weights_milli: weights,
        counts: node.at(&["capacity", "counts"]).map_or(Some(Counts::UntilClosed), word)?,
        max_rounds: maybe(node, "max_rounds", count)?,
        max_missed: maybe(node, "max_missed", count)?,
        max_offers_on_return: Some(
            maybe(node, "max_offers_on_return", count)?.unwrap_or(RoutingPolicy::MAX_OFFERS_ON_RETURN),
        ),
        sticky: maybe(node, "sticky", sticky)?,
        // One whose condition uses what is not acted on yet is left out, as a rule would be.
        topics: topics.iter().filter_map(topic).collect(),
        overflow: node.get("overflow").map_or(Some(Vec::new()), |stages| list(stages, stage))?,
        otherwise: maybe(node, "otherwise", otherwise)?,
    })
}

fn sla_policy(node: &Node) -> Option<SlaPolicy> {
    let mut targets_ms = BTreeMap::new();
    for target in SlaTarget::ALL {
        if let Some(value) = node.get(target.as_str()) {
            targets_ms.insert(target, time_ms(value)?);
        }
    }
    Some(SlaPolicy {
        when: maybe(node, "when", |when| condition(Facts::dialog(), when))?,
        targets_ms,
        clock: maybe(node, "clock", word)?.unwrap_or_default(),
        warn_at_percent: maybe(node, "warn_at", |value| scalar::percent(value.text()?).ok())?
            .unwrap_or(SlaPolicy::WARN_AT_PERCENT),
        pause_when: maybe(node, "pause_when", |words| list(words, word))?
            .map(|words| words.into_iter().collect())
            .unwrap_or_default(),
    })
}

fn sticky(node: &Node) -> Option<Sticky> {
    // Those that are not acted on yet have no form.
    let to: Vec<StickyTo> = node.get("to")?.items().iter().filter_map(word).collect();
    let wait_ms = maybe(node, "wait", time_ms)?.unwrap_or(RoutingPolicy::STICKY_WAIT_MS);
    Some(Sticky { to, wait_ms })
}

fn topic(node: &Node) -> Option<Topic> {
    Some(Topic {
        topic: node.get("topic")?.text()?.into(),
        when: condition(Facts::message(), node.get("when")?)?,
        operators: members(node, "operators")?,
        skills: texts_of(node, "skills")?,
        priority: maybe(node, "priority", |value| scalar::priority(value.text()?).ok())?,
    })
}

fn stage(node: &Node) -> Option<OverflowStage> {
    Some(OverflowStage {
        after_ms: time_ms(node.get("after")?)?,
        add: members(node, "add")?,
        replace: members(node, "replace")?,
        drop_skills: maybe(node, "drop_skills", boolean)?.unwrap_or(false),
        line: maybe(node, "line", |id| id.text().map(LineId::from))?,
    })
}

fn otherwise(node: &Node) -> Option<Otherwise> {
    Some(Otherwise {
        after_ms: time_ms(node.get("after")?)?,
        // Actions that are not acted on yet have no form; each was told.
        actions: node.get("do")?.items().iter().filter_map(action).collect(),
    })
}

/// A list of operators and teams; empty when the key is absent.
fn members(node: &Node, key: &str) -> Option<Vec<Member>> {
    node.get(key).map_or(Some(Vec::new()), |items| list(items, member))
}

/// A list of texts; empty when the key is absent.
pub(super) fn texts_of(node: &Node, key: &str) -> Option<BTreeSet<String>> {
    let Some(items) = node.get(key) else { return Some(BTreeSet::new()) };
    list(items, |item| item.text().map(str::to_owned)).map(|texts| texts.into_iter().collect())
}

/// A number in thousandths.
pub(super) fn amount(node: &Node) -> Option<u32> {
    scalar::thousandths(node.text()?).ok()
}

fn member(node: &Node) -> Option<Member> {
    if let Some(operator) = node.text() {
        return Some(Member::Operator(operator.into()));
    }
    if let Some(operator) = node.get("operator") {
        return operator.text().map(|id| Member::Operator(id.into()));
    }
    node.get("team")?.text().map(|id| Member::Team(id.into()))
}
