//! The last lines of the log that an operator should see: warnings, errors and what happens to the gateway itself.
//!
//! The log is the process's, and so is this memory of it: a layer beside the one that writes the log fills it, on
//! whatever thread an event is made. No shard makes events.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::status::Event;
use crate::log::time_text;

/// Events remembered.
const EVENTS_MAX: usize = 100;
/// Characters of one field that are remembered.
const FIELD_CHARACTERS_MAX: usize = 300;

static RING: Mutex<Ring> = Mutex::new(Ring { events: VecDeque::new(), count: 0 });

/// The events remembered, oldest first.
pub fn last() -> Vec<Event> {
    RING.lock().unwrap_or_else(PoisonError::into_inner).events.iter().cloned().collect()
}

struct Ring {
    events: VecDeque<Event>,
    count: u64,
}

impl Ring {
    fn push(&mut self, event: Event) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.count += 1;
        self.events.push_back(Event { number: self.count, ..event });
    }
}

/// Remembers events.
pub(crate) struct Remember;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Remember {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::INFO {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if level == Level::INFO && !fields.is_of_the_gateway() {
            return;
        }
        let event = Event {
            number: 0,
            at: time_text(SystemTime::now()),
            level: level.as_str().to_ascii_lowercase(),
            event_id: fields.event_id,
            message: fields.message,
            fields: fields.others,
        };
        RING.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

#[derive(Default)]
struct Fields {
    event_id: Option<String>,
    message: String,
    others: BTreeMap<String, String>,
}

impl Fields {
    /// Records about sessions are as many as sessions: only what happens to the gateway is worth remembering.
    fn is_of_the_gateway(&self) -> bool {
        self.event_id.as_deref().is_some_and(|id| !id.starts_with("CLQ-S"))
    }

    fn keep(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = text,
            "event_id" => self.event_id = Some(text),
            name => {
                let text = match text.char_indices().nth(FIELD_CHARACTERS_MAX) {
                    Some((end, _)) => format!("{}...", &text[..end]),
                    None => text,
                };
                self.others.insert(name.to_owned(), text);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep(field, format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn warnings_and_the_gateways_own_events_are_remembered_and_bounded() {
        let subscriber = tracing_subscriber::registry().with(Remember);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(event_id = "CLQ-S01", reason = "released", "session ended");
            tracing::debug!(event_id = "CLQ-G01", "too much detail");
            for number in 0..150_u64 {
                tracing::warn!(event_id = "CLQ-S02", number, peer = %"10.0.0.1:4", "the peer broke the protocol");
            }
            tracing::info!(event_id = "CLQ-G02", listener = "mms", text = "x".repeat(400), "listening");
        });
        let events = last();
        assert_eq!(events.len(), EVENTS_MAX);
        let event = events.last().unwrap_or_else(|| panic!("no event"));
        assert_eq!((event.event_id.as_deref(), event.message.as_str()), (Some("CLQ-G02"), "listening"));
        assert_eq!((event.level.as_str(), event.fields["text"].len()), ("info", FIELD_CHARACTERS_MAX + 3));
        let before = &events[EVENTS_MAX - 2];
        assert_eq!((before.fields["number"].as_str(), before.fields["peer"].as_str()), ("149", "10.0.0.1:4"));
        assert_eq!(before.number + 1, event.number);
    }
}
