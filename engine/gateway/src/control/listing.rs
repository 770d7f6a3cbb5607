//! Sessions of all shards in an order, as many as fit on a screen: `/sessions.json` and the page of the admin port, and
//! `colloquy top`.
//!
//! Shards are asked page by page as for `sessions list`, and of each page only what may still be among the first is kept:
//! neither a shard nor this thread has more to do at once with 10 000 sessions than with 256, and one listing at a time
//! is made.

use std::cmp::Reverse;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::conditions::Conditions;
use super::describe::{self, Belongs};
use super::protocol::{self, Code, Refused};
use super::shards;
use crate::app::query::{Answer, Question, SessionRow};
use crate::log::time_text;
use crate::sight::{Listed, Order};
use crate::vitals::Vitals;

/// Sessions in one answer at most.
pub(crate) const SESSIONS_LISTED_MAX: usize = 1000;
/// Sessions in an answer where nothing else is asked for, and on the page.
pub(crate) const SESSIONS_LISTED: usize = 25;

/// By what sessions are sorted: greatest first.
fn key(order: Order, row: &SessionRow) -> u128 {
    match order {
        Order::Idle => row.now.saturating_sub(row.idle_since).as_nanos(),
        Order::Age => u128::MAX - row.opened.as_nanos(),
        Order::New => row.opened.as_nanos(),
        Order::Octets => u128::from(row.octets[0]) + u128::from(row.octets[1]),
        Order::Queued => row.view.queued_octets as u128,
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    conditions: Conditions,
    order: Order,
    limit: usize,
}

impl Default for Listing {
    fn default() -> Self {
        Listing { conditions: Conditions::default(), order: Order::default(), limit: SESSIONS_LISTED }
    }
}

impl Listing {
    /// Reads the query of a URL: `sort`, `limit`, and the conditions of `sessions list`.
    ///
    /// # Errors
    /// What is unknown or out of range.
    pub(crate) fn parse(query: &str) -> Result<Listing, Refused> {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Listing::of(pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect())
    }

    /// The same from the members of a request.
    ///
    /// # Errors
    /// What is unknown or out of range.
    pub(crate) fn of(mut members: Map<String, Value>) -> Result<Listing, Refused> {
        let mut listing = Listing::default();
        if let Some(value) = members.remove("sort") {
            listing.order = order(&text(value))?;
        }
        if let Some(value) = members.remove("limit") {
            listing.limit = limit(&text(value))?;
        }
        listing.conditions = protocol::arguments(&members)?;
        listing.conditions.check()?;
        Ok(listing)
    }
}

/// A number of JSON is as good as one of a URL.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => value.to_string(),
    }
}

fn order(text: &str) -> Result<Order, Refused> {
    Order::ALL.into_iter().find(|order| order.name() == text).ok_or_else(|| {
        let names = Order::ALL.map(Order::name).join(", ");
        Refused::new(Code::BadRequest, format!("no order {text:?}; there are {names}"))
    })
}

fn limit(text: &str) -> Result<usize, Refused> {
    let limit = text.parse().ok().filter(|limit| (1..=SESSIONS_LISTED_MAX).contains(limit));
    limit.ok_or_else(|| {
        let text = format!("limit {text:?} is no number from 1 to {SESSIONS_LISTED_MAX}");
        Refused::new(Code::BadRequest, text)
    })
}

/// Asks the shards, one listing after the other.
///
/// # Errors
/// A shard that does not answer in time.
pub(crate) async fn list(vitals: &Vitals, listing: &Listing) -> Result<Listed, Refused> {
    let _one_at_a_time = vitals.sight().listing().lock().await;
    let Listing { conditions, order, limit } = listing;
    let (mut total, mut matching) = (0, 0);
    let mut first: Vec<SessionRow> = Vec::new();
    for shard in 0..vitals.shard_count() {
        let mut from = Some(0);
        while let Some(index) = from {
            let question = Question::Page { from: index };
            let Some(Answer::Page { rows, next }) = shards::ask(vitals, shard, question).await? else {
                break;
            };
            let plan = vitals.plan();
            total += rows.len();
            let before = first.len();
            first
                .extend(rows.into_iter().filter(|row| conditions.hold(row, &Belongs::of(&plan.config, row))));
            matching += first.len() - before;
            first.sort_by_cached_key(|row| Reverse(key(*order, row)));
            first.truncate(*limit);
            from = next;
        }
    }
    let plan = vitals.plan();
    Ok(Listed {
        at: time_text(SystemTime::now()),
        sort: *order,
        limit: *limit,
        total,
        matching,
        sessions: first.iter().map(|row| describe::brief(&plan.config, row)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_with_its_escapes() {
        let listing = Listing::parse("sort=new&limit=7&listener=mms&peer=%5B%3A%3A1%5D%3A102").unwrap();
        assert_eq!((listing.order, listing.limit), (Order::New, 7));
        assert_eq!(listing.conditions.peer.as_deref(), Some("[::1]:102"));
        assert_eq!(listing.conditions.listener.as_deref(), Some("mms"));
        let listing = Listing::parse("").unwrap();
        assert_eq!((listing.order, listing.limit), (Order::Idle, SESSIONS_LISTED));
    }

    #[test]
    fn what_is_wrong_in_a_query_is_told() {
        let text = |query: &str| Listing::parse(query).unwrap_err().text;
        assert!(text("sort=size").contains("idle, age, new, octets, queued"));
        for wrong in ["limit=0", "limit=1001", "limit=x", "limit="] {
            assert!(text(wrong).contains("1 to 1000"), "{wrong}");
        }
        assert!(text("colour=red").contains("colour") && text("peer=here").contains("here"));
    }
}
