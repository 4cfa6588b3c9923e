//! Counters and gauges in the OpenMetrics text format.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::model::input::Input;
use crate::model::outcome::Outcome;

/// All metrics of the daemon.
pub struct Metrics {
    registry: Registry,
    /// Groups that the journal made durable: one sync each.
    pub journal_groups: Counter,
    /// Entries that the journal made durable.
    pub journal_entries: Counter,
    /// Inputs that came before and changed nothing.
    pub repeated_inputs: Counter,
    /// The last entry applied.
    pub applied_seq: Gauge<i64, AtomicI64>,
    /// The last entry that the store has.
    pub stored_seq: Gauge<i64, AtomicI64>,
    inputs: Family<InputLabels, Counter>,
    webhooks: Family<WebhookLabels, Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    unsupported: Family<UnsupportedLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InputLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    channel: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    target: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnsupportedLabels {
    channel: String,
    what: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("switchboard");
        let journal_groups = Counter::<u64, AtomicU64>::default();
        registry.register("journal_groups", "Groups made durable, one sync each", journal_groups.clone());
        let journal_entries = Counter::<u64, AtomicU64>::default();
        registry.register("journal_entries", "Entries made durable", journal_entries.clone());
        let repeated_inputs = Counter::<u64, AtomicU64>::default();
        registry.register("inputs_repeated", "Inputs that came before", repeated_inputs.clone());
        let applied_seq = Gauge::default();
        registry.register("applied_seq", "The last entry applied", applied_seq.clone());
        let stored_seq = Gauge::default();
        registry.register("stored_seq", "The last entry that the store has", stored_seq.clone());
        let inputs = Family::default();
        registry.register("inputs", "Inputs applied, by kind and outcome", inputs.clone());
        let webhooks = Family::default();
        registry.register("webhooks", "Webhook calls, by channel and result", webhooks.clone());
        let deliveries = Family::default();
        registry.register("deliveries", "Attempts of the outbox, by target and result", deliveries.clone());
        let reloads = Family::default();
        registry.register("config_reloads", "Configuration reloads, by result", reloads.clone());
        let requests = Family::default();
        registry.register("http_requests", "API requests, by route and status", requests.clone());
        let unsupported = Family::default();
        registry.register(
            "unsupported",
            "Updates and messages that are kept and not understood, by channel",
            unsupported.clone(),
        );
        Self {
            registry,
            journal_groups,
            journal_entries,
            repeated_inputs,
            applied_seq,
            stored_seq,
            inputs,
            webhooks,
            deliveries,
            reloads,
            requests,
            unsupported,
        }
    }
}

impl Metrics {
    /// Counts an applied input.
    pub fn applied(&self, input: &Input, outcome: &Outcome) {
        let kind = match input {
            Input::ConfigActivated(_) => "config_activated",
            Input::NodeStarted => "node_started",
            Input::Tick => "tick",
            Input::Inbound(_) => "inbound",
            Input::Command(_) => "command",
            Input::EffectClaimed { .. } => "effect_claimed",
            Input::EffectResult { .. } => "effect_result",
        };
        let outcome = match outcome {
            Outcome::Applied(_) => "applied",
            Outcome::Rejected(rejection) => rejection.code(),
        };
        self.inputs.get_or_create(&InputLabels { kind, outcome }).inc();
    }

    /// Counts a webhook call. `channel` must be a declared one; calls to others go under `-`.
    pub fn webhook(&self, channel: &str, result: &'static str) {
        self.webhooks.get_or_create(&WebhookLabels { channel: channel.to_owned(), result }).inc();
    }

    /// Counts what a declared channel sent and nobody understood: an `update` or a `message`.
    pub fn unsupported(&self, channel: &str, what: &'static str) {
        self.unsupported.get_or_create(&UnsupportedLabels { channel: channel.to_owned(), what }).inc();
    }

    /// Counts an attempt of the outbox at a channel or endpoint.
    pub fn delivery(&self, target: &str, result: &'static str) {
        self.deliveries.get_or_create(&DeliveryLabels { target: target.to_owned(), result }).inc();
    }

    /// Counts a reload of the configuration.
    pub fn reload(&self, result: &'static str) {
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
    }

    /// Counts an API request. `route` is the route's pattern, never the path itself.
    pub fn request(&self, route: &str, status: u16) {
        self.requests.get_or_create(&RequestLabels { route: route.to_owned(), status }).inc();
    }

    /// Everything in the OpenMetrics text format.
    ///
    /// # Errors
    /// Never in practice: writing to a text does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
