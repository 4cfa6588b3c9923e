//! Random days of small companies. What fails is made smaller and printed as a script, which can be kept
//! beside the others.
//!
//! The invariants of the state are checked after each line by the world; here is what only a history shows:
//! each offer ends once and not before its time, who is refused changes nothing, nothing closed comes
//! back, nobody becomes an owner without accepting, and when everybody works the queue empties.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use switchboard::model::dialog::{Dialog, DialogState};
use switchboard::model::event::EventKind;
use switchboard::model::id::DialogId;
use switchboard::model::outcome::Outcome;

use super::play::{MIDNIGHT_MS, Play};
use crate::world::choices;

const OPERATORS: [&str; 4] = ["anna", "boris", "vera", "clara"];
const CLIENTS: [&str; 5] = ["ivan", "olga", "petr", "rita", "semyon"];
/// The lines that a day may take to end: far more than accepting and closing everything once each.
const DRAIN_LINES: usize = 200;

/// How the company is set up.
#[derive(Debug, Clone)]
struct Company {
    strategy: &'static str,
    offer_timeout: &'static str,
    limit: Option<&'static str>,
    capacity: Option<(&'static str, &'static str)>,
    members: &'static str,
    is_presence_required: bool,
    /// Further settings, as scripts write them.
    extras: Vec<&'static str>,
}

/// Settings of which a company has some.
const EXTRAS: [&str; 27] = [
    "sla first_response 30s next_response 20s first_accept 15s resolution 5m",
    "sla first_response 20s next_response 1m pause waiting_client pause operator_unavailable",
    "rating 1..5 \"Rate us\" within 10m thanks \"Thank you\"",
    "reopen_window 5m",
    "silence nudge 30s \"Still there?\" close continue new",
    "silence close_after 5m",
    "silence pause_limit 10m",
    "no_answer 20s \"Please wait\"",
    "queue_position 30s \"Number {{ queue.position }}\"",
    "closing \"Goodbye\"",
    "counts until_client_turn",
    "counts until_first_answer",
    "max_rounds 1",
    "max_rounds 2",
    "max_missed 2",
    "on_return 1",
    "on_return 2",
    "sticky 30s",
    "ageing 30s 1",
    "ageing 5s 2 cap 6",
    "topic billing when invoice to clara,vera priority 3",
    "skills boris billing",
    "overflow 20s add clara",
    "overflow 60s replace team:vip",
    "overflow 90s line returns",
    "otherwise 2m : add_tags late ; transfer line returns",
    "overflow 60s line shop on returns",
];

/// Something that somebody does. Numbers choose among what there is at that moment.
#[derive(Debug, Clone)]
enum Deed {
    Write {
        client: usize,
        is_returns: bool,
        text: &'static str,
    },
    Presence {
        operator: usize,
        presence: &'static str,
    },
    /// Of an offer that is live.
    Accept {
        offer: usize,
    },
    Decline {
        offer: usize,
    },
    /// Whether it was offered or not.
    Stray {
        operator: usize,
        verb: &'static str,
        dialog: usize,
    },
    Owner {
        dialog: usize,
        verb: &'static str,
    },
    Admin {
        dialog: usize,
        verb: &'static str,
    },
    /// By a right that reaches everything.
    Supervisor {
        operator: usize,
        dialog: usize,
        verb: &'static str,
    },
    /// A button of some dialog, under any chat.
    Press {
        client: usize,
        dialog: usize,
        data: &'static str,
    },
    WriteFirst {
        operator: usize,
        dialog: usize,
    },
    Wait {
        seconds: u64,
    },
    Restart,
}

fn companies() -> impl Strategy<Value = Company> {
    let one_of = prop::sample::select::<&'static str>;
    (
        one_of(vec!["in_order", "round_robin", "least_loaded", "broadcast"]),
        one_of(vec!["60s", "5s", "0"]),
        prop::option::of(one_of(vec!["1", "2"])),
        prop::option::of((one_of(vec!["anna", "boris", "vera"]), one_of(vec!["1", "1.5", "3"]))),
        one_of(vec!["anna boris vera", "boris", "team:vip anna", "vera clara"]),
        prop::bool::weighted(0.8),
        prop::sample::subsequence(EXTRAS.to_vec(), 0..=EXTRAS.len()),
    )
        .prop_map(|(strategy, offer_timeout, limit, capacity, members, is_presence_required, extras)| {
            Company { strategy, offer_timeout, limit, capacity, members, is_presence_required, extras }
        })
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let one_of = prop::sample::select::<&'static str>;
    let operator = 0..OPERATORS.len();
    let dialog = 0_usize..6;
    let deed = prop_oneof![
        5 => (0..CLIENTS.len(), prop::bool::weighted(0.2), one_of(vec!["Hello", "Hello", "invoice"]))
            .prop_map(|(client, is_returns, text)| Deed::Write { client, is_returns, text }),
        3 => (operator.clone(), one_of(vec!["online", "online", "away", "offline"]))
            .prop_map(|(operator, presence)| Deed::Presence { operator, presence }),
        4 => (0_usize..4).prop_map(|offer| Deed::Accept { offer }),
        2 => (0_usize..4).prop_map(|offer| Deed::Decline { offer }),
        1 => (operator, one_of(vec!["accepts", "declines"]), dialog.clone())
            .prop_map(|(operator, verb, dialog)| Deed::Stray { operator, verb, dialog }),
        4 => (
            dialog.clone(),
            one_of(vec![
                "replies \"Hi\"",
                "closes",
                "closes",
                "closes spam",
                "reopens",
                "pauses",
                "resumes",
                "requeues",
                "transfers to anna",
                "transfers to team vip",
                "transfers to line returns",
            ]),
        )
            .prop_map(|(dialog, verb)| Deed::Owner { dialog, verb }),
        1 => (dialog, one_of(vec![
            "sets priority 5",
            "sets priority -1",
            "sets topic billing",
            "closes",
            "transfers to vera",
        ]))
            .prop_map(|(dialog, verb)| Deed::Admin { dialog, verb }),
        2 => (
            0..OPERATORS.len(),
            0_usize..6,
            one_of(vec!["takes over", "joins", "leaves", "reopens", "rates 4", "closes supervisor", "pauses"]),
        )
            .prop_map(|(operator, dialog, verb)| Deed::Supervisor { operator, dialog, verb }),
        3 => (0..CLIENTS.len(), 0_usize..6, one_of(vec!["1", "5", "close", "continue", "new"]))
            .prop_map(|(client, dialog, data)| Deed::Press { client, dialog, data }),
        1 => (0..OPERATORS.len(), 0_usize..6)
            .prop_map(|(operator, dialog)| Deed::WriteFirst { operator, dialog }),
        4 => prop::sample::select(vec![1_u64, 5, 30, 61, 600]).prop_map(|seconds| Deed::Wait { seconds }),
        1 => Just(Deed::Restart),
    ];
    vec(deed, 1..40)
}

/// A day as far as it has gone, with the script of it.
struct Day {
    play: Play,
    script: Vec<String>,
    /// The end of each offer, and until when it was good.
    offers: BTreeMap<String, (Option<u64>, bool)>,
}

impl Day {
    fn begin(company: &Company) -> Result<Self, String> {
        let mut day = Self { play: Play::new(), script: Vec::new(), offers: BTreeMap::new() };
        day.say(&format!("given strategy {}", company.strategy))?;
        day.say(&format!("given offer_timeout {}", company.offer_timeout))?;
        day.say(&format!("given members {}", company.members))?;
        if let Some(limit) = company.limit {
            day.say(&format!("given limit {limit}"))?;
        }
        if let Some((operator, capacity)) = company.capacity {
            day.say(&format!("given capacity {operator} {capacity}"))?;
        }
        for extra in &company.extras {
            day.say(&format!("given {extra}"))?;
        }
        if !company.is_presence_required {
            day.say("given presence not_required")?;
        }
        Ok(day)
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        self.script.push(line.to_owned());
        self.play.line(line)
    }

    /// Plays a line at the present time, and checks what came of it.
    fn now(&mut self, what: &str) -> Result<(), String> {
        self.after(0, what)
    }

    /// Plays a line some seconds later, and checks what came of it.
    fn after(&mut self, seconds: u64, what: &str) -> Result<(), String> {
        let seconds = (self.play.world.now_ms - MIDNIGHT_MS).div_ceil(1_000) + seconds;
        let (day, seconds) = (seconds / 86_400 + 1, seconds % 86_400);
        let time = format!("{day}/{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let before = self.rows();
        self.say(&format!("{time} {what}"))?;
        self.follow_offers()?;
        self.compare(&before, what)
    }

    fn rows(&self) -> BTreeMap<DialogId, Dialog> {
        self.play.world.archive.dialogs.clone()
    }

    /// I13 and I14.
    fn follow_offers(&mut self) -> Result<(), String> {
        for event in &self.play.events {
            let offer = event.data["offer"].as_str().unwrap_or_default().to_owned();
            if event.kind == EventKind::DialogOffered {
                let until = event.data["expires_at_ms"].as_u64();
                if self.offers.insert(offer.clone(), (until, false)).is_some() {
                    return Err(format!("I13: {offer} was made twice"));
                }
            } else if event.kind == EventKind::DialogOfferEnded {
                match self.offers.get_mut(&offer) {
                    Some((until, is_over)) if !*is_over => {
                        *is_over = true;
                        let is_late = until.is_some_and(|until| event.at_ms >= until);
                        if event.data["end"] == "expired" && !is_late {
                            return Err(format!("I14: {offer} expired before its time"));
                        }
                    }
                    _ => return Err(format!("I13: {offer} ended and was not live")),
                }
            }
        }
        Ok(())
    }

    /// I7, I8 and I15.
    fn compare(&self, before: &BTreeMap<DialogId, Dialog>, what: &str) -> Result<(), String> {
        let after = self.rows();
        let was_refused =
            self.play.last.as_ref().is_some_and(|last| matches!(last.outcome, Outcome::Rejected(_)));
        // Timers may have fired before the line; then the line is not the only thing that happened.
        if was_refused && self.play.events.is_empty() && *before != after {
            return Err(format!("I15: `{what}` was refused and changed something"));
        }
        for (id, row) in &after {
            let Some(earlier) = before.get(id) else { continue };
            let has = |kinds: &[EventKind]| {
                self.play.events.iter().any(|event| kinds.contains(&event.kind) && event.dialog == Some(*id))
            };
            if earlier.state == DialogState::Closed
                && row.state != DialogState::Closed
                && !has(&[EventKind::DialogReopened])
            {
                return Err(format!("I7: {id} was closed and is {:?}", row.state));
            }
            if earlier.first_response_at_ms.is_some()
                && earlier.first_response_at_ms != row.first_response_at_ms
            {
                return Err(format!("I32: the first answer of {id} moved"));
            }
            let accepted =
                has(&[EventKind::DialogAccepted, EventKind::DialogReopened, EventKind::DialogReturned]);
            if earlier.owner != row.owner && row.owner.is_some() && !accepted {
                return Err(format!("I8: {:?} owns {id} and did not accept it", row.owner));
            }
        }
        Ok(())
    }

    /// The live offers: number of the dialog, operator.
    fn live_offers(&self) -> Vec<(usize, String)> {
        let rows = self.rows();
        let dialogs = self.play.dialogs.iter().zip(1..);
        dialogs
            .flat_map(|(id, number)| {
                rows[id].offers.iter().map(move |offer| (number, offer.operator.to_string()))
            })
            .collect()
    }

    fn act(&mut self, deed: &Deed) -> Result<(), String> {
        let dialogs = self.play.dialogs.len();
        let numbered = |dialog: usize| (dialogs > 0).then(|| dialog % dialogs.max(1) + 1);
        // `verb rest` becomes `verb dN rest`.
        let about = |number: usize, verb: &str| match verb.split_once(' ') {
            Some((verb, rest)) => format!("{verb} d{number} {rest}"),
            None => format!("{verb} d{number}"),
        };
        match deed {
            Deed::Write { client, is_returns, text } => {
                let channel = if *is_returns { " in returns-telegram" } else { "" };
                self.now(&format!("client {} writes \"{text}\"{channel}", CLIENTS[*client]))
            }
            Deed::Presence { operator, presence } => {
                self.now(&format!("{} {presence}", OPERATORS[*operator]))
            }
            Deed::Accept { offer } | Deed::Decline { offer } => {
                let offers = self.live_offers();
                let Some((number, operator)) = offers.get(offer % offers.len().max(1)) else { return Ok(()) };
                let verb = if matches!(deed, Deed::Accept { .. }) { "accepts" } else { "declines" };
                self.now(&format!("{operator} {verb} d{number}"))
            }
            Deed::Stray { operator, verb, dialog } => match numbered(*dialog) {
                Some(number) => self.now(&format!("{} {verb} d{number}", OPERATORS[*operator])),
                None => Ok(()),
            },
            Deed::Owner { dialog, verb } => {
                let Some(number) = numbered(*dialog) else { return Ok(()) };
                let owner = self.rows()[&self.play.dialogs[number - 1]].owner.clone();
                let Some(owner) = owner else { return Ok(()) };
                self.now(&format!("{owner} {}", about(number, verb)))
            }
            Deed::Admin { dialog, verb } => match numbered(*dialog) {
                Some(number) => self.now(&format!("admin {}", about(number, verb))),
                None => Ok(()),
            },
            Deed::Supervisor { operator, dialog, verb } => match numbered(*dialog) {
                Some(number) => {
                    let about = match *verb {
                        "takes over" => format!("takes over d{number}"),
                        verb => about(number, verb),
                    };
                    self.now(&format!("{} {about} with any", OPERATORS[*operator]))
                }
                None => Ok(()),
            },
            Deed::Press { client, dialog, data } => match numbered(*dialog) {
                Some(number) => {
                    // Mostly by the client whose dialog it is.
                    let row = &self.rows()[&self.play.dialogs[number - 1]];
                    let own = row.external_chat.clone();
                    let client = if *client == 0 { CLIENTS[*client].to_owned() } else { own };
                    let channel =
                        if row.channel.as_str() == "returns-telegram" { " in returns-telegram" } else { "" };
                    self.now(&format!("client {client} presses {data} of d{number}{channel}"))
                }
                None => Ok(()),
            },
            Deed::WriteFirst { operator, dialog } => match numbered(*dialog) {
                Some(number) => {
                    let chat = self.rows()[&self.play.dialogs[number - 1]].external_chat.clone();
                    // Sometimes into what is open.
                    let on = if dialog % 2 == 0 { "on " } else { "" };
                    self.now(&format!("{} writes {on}to {chat} \"Good day\"", OPERATORS[*operator]))
                }
                None => Ok(()),
            },
            Deed::Wait { seconds } => self.after(*seconds, "time passes"),
            Deed::Restart => self.now("node restarts"),
        }
    }

    /// Everybody comes, takes what is offered and closes what they have: nothing is left waiting.
    fn end(&mut self) -> Result<(), String> {
        for operator in OPERATORS {
            self.now(&format!("{operator} online"))?;
        }
        // Of another configuration everybody may be asked once more.
        self.now("config offer_timeout 60s")?;
        for _ in 0..DRAIN_LINES {
            let rows = self.rows();
            let closing = self
                .play
                .dialogs
                .iter()
                .zip(1..)
                .find(|(id, _)| rows[*id].state == DialogState::Closing)
                .map(|(_, number)| number);
            if let Some(number) = closing {
                self.now(&format!("admin closes d{number}"))?;
                continue;
            }
            let owned = self.play.dialogs.iter().zip(1..).find_map(|(id, number)| {
                let row = &rows[id];
                (row.state != DialogState::Closed)
                    .then(|| row.owner.clone())
                    .flatten()
                    .map(|owner| (number, owner))
            });
            if let Some((number, owner)) = owned {
                self.now(&format!("{owner} closes d{number}"))?;
            } else if let Some((number, operator)) = self.live_offers().first().cloned() {
                self.now(&format!("{operator} accepts d{number}"))?;
            } else {
                break;
            }
        }
        let left = self.rows().values().filter(|row| row.state != DialogState::Closed).count();
        if left > 0 {
            return Err(format!("{left} dialogs wait though everybody is free"));
        }
        let live = self.offers.values().filter(|(_, is_over)| !is_over).count();
        if live > 0 {
            return Err(format!("I13: {live} offers never ended"));
        }
        std::panic::catch_unwind(|| choices::check(&self.play.world.archive.decisions))
            .map_err(|_| "I17: a choice is another one than its strategy says".to_owned())
    }
}

fn live_through(company: &Company, deeds: &[Deed]) -> Result<(), String> {
    let mut day = Day::begin(company)?;
    let lived = deeds.iter().try_for_each(|deed| day.act(deed)).and_then(|()| day.end());
    lived.map_err(|why| format!("{why}\nthe script of it:\n{}\n", day.script.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_day_of_a_small_company_keeps_the_invariants(company in companies(), deeds in deeds()) {
        if let Err(why) = live_through(&company, &deeds) {
            return Err(TestCaseError::fail(why));
        }
    }
}
