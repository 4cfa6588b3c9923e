//! What befalls the company: somebody is ill, the configuration changes at noon, a messenger is down, the process
//! dies.

use std::collections::BTreeMap;
use std::path::Path;

use switchboard::config::load::load;
use switchboard::config::source::SourceSet;
use switchboard::model::config::Config;
use switchboard::model::effect::{Effect, EffectState};
use switchboard::model::id::{ChannelId, OperatorId, TeamId};
use switchboard::model::outcome::Outcome;

use super::Day;
use super::agenda::Deed;
use super::date::Date;
use crate::world::activation;

/// Something that befalls the company.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mishap {
    /// Somebody calls in sick after having begun.
    CallsInSick,
    /// Less capacity for support, a shorter promise for sales, and somebody is gone.
    NoonChanges,
    /// A messenger is to be reached again.
    TelegramIsBack,
    /// The process dies, in the midst of attempts, and comes back.
    Crash,
}

/// The configuration as files.
pub(super) struct Files(BTreeMap<String, String>);

impl Files {
    /// Those of `company/`, in the zone of the day.
    pub(super) fn of_the_company(date: &Date) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/day/company");
        let set = SourceSet::read(&folder);
        assert_eq!(set.problems, []);
        let mut files = Self(set.files);
        let text = files.0.get_mut("lines.yaml").unwrap();
        *text = text.replace("Europe/Berlin", date.zone.name());
        files
    }

    pub(super) fn config(&self) -> Config {
        let loaded = load(&SourceSet::from_files(self.0.clone()));
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        loaded.config.unwrap()
    }

    /// Changes what stands in a file exactly once.
    fn change(&mut self, file: &str, before: &str, after: &str) {
        let text = self.0.get_mut(file).unwrap();
        assert_eq!(text.matches(before).count(), 1, "{before}");
        *text = text.replacen(before, after, 1);
    }
}

impl Day {
    pub(super) fn plan_mishaps(&mut self) {
        for (time, mishap) in
            [("09:40", Mishap::CallsInSick), ("12:00", Mishap::NoonChanges), ("16:10", Mishap::Crash)]
        {
            self.agenda.add(self.date.at(0, time), Deed::Befalls(mishap));
        }
        self.agenda.add(self.outage().end, Deed::Befalls(Mishap::TelegramIsBack));
    }

    pub(super) fn befalls(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::CallsInSick => {
                let ill = self.busiest("support");
                let (named, today) = (format!("  {ill}: {{"), self.date.day);
                let off = format!("{named}vacation: [\"{today}..{today}\"], ");
                self.files.change("operators.yaml", &named, &off);
                self.loses(ill, "calls in sick");
            }
            Mishap::NoonChanges => {
                let gone = self.busiest("sales");
                let (before, after) = ("limit: 3, counts: until_client", "limit: 2, counts: until_client");
                self.files.change("lines.yaml", before, after);
                let (before, after) = ("5m, next_response: 10m", "3m, next_response: 10m");
                self.files.change("lines.yaml", before, after);
                let text = self.files.0.get_mut("operators.yaml").unwrap();
                let kept = text.lines().filter(|line| !line.starts_with(&format!("  {gone}:")));
                *text = kept.map(|line| format!("{line}\n")).collect();
                self.loses(gone, "works here no more");
            }
            Mishap::TelegramIsBack => {
                let waits = |row: &&Effect| matches!(row.state, EffectState::Waiting { .. });
                let waiting = self.world.state.effects().filter(waits).count();
                assert!(waiting > 0, "nobody wrote while the messenger was down");
                self.tells(&format!("Telegram is back: {waiting} messages are to be tried again"));
            }
            Mishap::Crash => {
                let in_flight = |row: &&Effect| matches!(row.state, EffectState::InFlight { .. });
                let doubtful = self.world.state.effects().filter(in_flight).count();
                if doubtful == 0 {
                    return self.agenda.add(self.world.now_ms + 500, Deed::Befalls(Mishap::Crash));
                }
                self.tells(&format!("the process dies and comes back: {doubtful} attempts are made again"));
                let applied = self.world.restart();
                self.comes_of(&applied);
                // What was under way is tried again, by who looks after a start.
                for ready in self.world.state.ready_effects() {
                    self.claim(ready);
                }
            }
        }
    }

    /// Who of a team, its lead apart, has most in hand.
    fn busiest(&self, team: &str) -> OperatorId {
        let live = self.world.state.live().unwrap();
        let team = TeamId::from(team);
        let people = live.config.team_members(&team);
        let people = people.filter(|operator| !live.config.teams[&team].supervisors.contains(*operator));
        people.max_by_key(|operator| self.owned_by(operator).len()).unwrap().clone()
    }

    fn tells(&mut self, what: &str) {
        self.mishaps.push(format!("{} {what}", self.date.day_and_clock(self.world.now_ms)));
    }

    /// Whoever works no more today loses what they have: it waits again, or is offered to somebody else already.
    fn loses(&mut self, operator: OperatorId, why: &str) {
        let owned = self.owned_by(&operator);
        assert!(!owned.is_empty(), "{operator} has nothing to lose");
        self.reload();
        self.tells(&format!("{operator} {why}: {} dialogs go back", owned.len()));
        for dialog in owned {
            let row = self.row(dialog).unwrap();
            assert!(row.state.is_waiting() && row.owner.is_none(), "{row:?}");
            assert!(row.offers.iter().all(|offer| offer.operator != operator), "{row:?}");
        }
        self.absent.insert(operator);
    }

    pub(super) fn reload(&mut self) {
        let applied = self.take("reload", activation(&self.files.config()));
        assert!(matches!(applied.outcome, Outcome::Applied(_)), "{:?}", applied.outcome);
    }

    /// From when to when Telegram is not to be reached, by its clients either.
    pub(super) fn outage(&self) -> std::ops::Range<u64> {
        self.date.at(0, "13:10")..self.date.at(0, "13:25")
    }

    /// Whether a messenger does not answer now.
    pub(super) fn is_down(&self, channel: &ChannelId) -> bool {
        channel.as_str().ends_with("telegram") && self.outage().contains(&self.world.now_ms)
    }
}
