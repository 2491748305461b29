//! Asking a filter about an event.

use std::cell::OnceCell;
use std::cmp::Ordering;

use kernel::Event;
use serde_json::{Number, Value};

use super::{Node, Test};

/// An event as filters see it. The payload is parsed at most once, and only if a filter asks.
pub struct Envelope<'a> {
    event: &'a Event,
    head: OnceCell<[Value; 3]>,
    data: OnceCell<Option<Value>>,
}

impl<'a> Envelope<'a> {
    /// Of this event.
    pub fn new(event: &'a Event) -> Self {
        Self { event, head: OnceCell::new(), data: OnceCell::new() }
    }

    pub(super) fn get(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        let text = |text: String| Value::String(text);
        let head = || {
            let event = self.event;
            [text(event.id.to_string()), text(event.event_type.to_string()), text(event.occurred_at.to_string())]
        };
        let root = match first.as_str() {
            "id" => &self.head.get_or_init(head)[0],
            "type" => &self.head.get_or_init(head)[1],
            "timestamp" => &self.head.get_or_init(head)[2],
            "data" => self.data.get_or_init(|| serde_json::from_slice(&self.event.data).ok()).as_ref()?,
            _ => return None,
        };
        follow(root, rest)
    }
}

/// What these steps lead to.
pub(super) fn follow<'v>(root: &'v Value, steps: &[String]) -> Option<&'v Value> {
    steps.iter().try_fold(root, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

pub(super) fn holds(node: &Node, envelope: &Envelope<'_>) -> bool {
    match node {
        Node::All(nodes) => nodes.iter().all(|node| holds(node, envelope)),
        Node::Any(nodes) => nodes.iter().any(|node| holds(node, envelope)),
        Node::Not(node) => !holds(node, envelope),
        Node::Test(path, test) => satisfies(envelope.get(path), test),
    }
}

fn satisfies(value: Option<&Value>, test: &Test) -> bool {
    let Some(value) = value else { return matches!(test, Test::Exists(false) | Test::Ne(_)) };
    let ordering = |operand: &Value| compare(value, operand);
    match test {
        Test::Eq(operand) => equal(value, operand),
        Test::Ne(operand) => !equal(value, operand),
        Test::Gt(operand) => ordering(operand) == Some(Ordering::Greater),
        Test::Gte(operand) => matches!(ordering(operand), Some(Ordering::Greater | Ordering::Equal)),
        Test::Lt(operand) => ordering(operand) == Some(Ordering::Less),
        Test::Lte(operand) => matches!(ordering(operand), Some(Ordering::Less | Ordering::Equal)),
        Test::In(operands) => operands.iter().any(|operand| equal(value, operand)),
        Test::Exists(wanted) => *wanted,
        Test::StartsWith(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix.as_str())),
    }
}

/// Equality with 1 and 1.0 the same, at any depth of arrays and objects.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Whole numbers exactly, others as doubles.
fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    let whole = |n: &Number| n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kernel::{Ambient, Event, Timestamp};
    use serde_json::{Value, json};

    use crate::filter::{Envelope, Filter};

    fn event() -> Event {
        let data = json!({"status": "WON", "amount": 100, "big": 9_007_199_254_740_993_i64, "tags": ["a", {"x": 1.5}], "none": null, "o": {"k": 1}});
        Event {
            tenant: Ambient::system().id(),
            id: "evt-1".parse().unwrap(),
            event_type: "lead.updated".parse().unwrap(),
            occurred_at: Timestamp::from_millis(0),
            created_at: Timestamp::from_millis(0),
            data: Bytes::from(data.to_string()),
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        }
    }

    #[test]
    fn the_operators() {
        let event = event();
        for (filter, expected) in [
            (json!({}), true),
            (json!({"data.status": "WON"}), true),
            (json!({"data.status": "won"}), false),
            (json!({"data.status": "WON", "data.amount": 1}), false),
            (json!({"data.amount": {"$gte": 100, "$lt": 100.5}}), true),
            (json!({"data.amount": {"$gt": 100}}), false),
            (json!({"data.amount": 100.0}), true),
            (json!({"data.amount": {"$lte": "100"}}), false),
            (json!({"data.big": 9_007_199_254_740_992_i64}), false),
            (json!({"data.status": {"$gt": "LOST"}}), true),
            (json!({"data.status": {"$in": ["LOST", "WON"]}}), true),
            (json!({"data.status": {"$in": []}}), false),
            (json!({"data.status": {"$startsWith": "W"}}), true),
            (json!({"data.amount": {"$startsWith": "1"}}), false),
            (json!({"data.tags.0": "a"}), true),
            (json!({"data.tags.1.x": {"$gt": 1}}), true),
            (json!({"data.tags.2": {"$exists": false}}), true),
            (json!({"data.none": null}), true),
            (json!({"data.none": {"$exists": true}}), true),
            (json!({"data.missing": null}), false),
            (json!({"data.missing": {"$ne": 1}}), true),
            (json!({"data.missing": {"$lt": 1}}), false),
            (json!({"data.o": {"k": 1.0}}), true),
            (json!({"type": "lead.updated", "id": "evt-1", "timestamp": {"$startsWith": "1970"}}), true),
            (json!({"$or": [{"data.status": "LOST"}, {"data.amount": 100}]}), true),
            (json!({"$and": [{"data.status": "LOST"}, {"data.amount": 100}]}), false),
            (json!({"$not": {"data.status": "LOST"}}), true),
            (json!({"$not": {}}), false),
        ] {
            assert_eq!(Filter::parse(&filter).unwrap().accepts(&Envelope::new(&event)), expected, "{filter}");
        }
    }

    #[test]
    fn faults_say_where() {
        let nest = (0..9).fold(json!({"id": "x"}), |inner, _| json!({"$not": inner}));
        let wide: Value = (0..101).map(|n| json!({"data.n": n})).collect();
        for (filter, pointer) in [
            (json!("x"), "/filter"),
            (json!({"$nor": []}), "/filter/$nor"),
            (json!({"$or": []}), "/filter/$or"),
            (json!({"$or": [{"data.a": {"$foo": 1}}]}), "/filter/$or/0/data.a/$foo"),
            (json!({"status": 1}), "/filter/status"),
            (json!({"data..x": 1}), "/filter/data..x"),
            (json!({"data.a/b": {"$in": 3}}), "/filter/data.a~1b/$in"),
            (json!({"data.a": {"$gt": null}}), "/filter/data.a/$gt"),
            (json!({"data.a": {"$exists": "yes"}}), "/filter/data.a/$exists"),
            (json!({"data.a": {"$startsWith": 1}}), "/filter/data.a/$startsWith"),
            (json!({"data.a": {"$eq": 1, "b": 2}}), "/filter/data.a/b"),
            (json!({"$or": wide}), "/filter"),
            (json!({"data.a": "x".repeat(20_000)}), "/filter"),
        ] {
            let error = Filter::parse(&filter).unwrap_err();
            assert_eq!(error.fields()[0].pointer, pointer, "{error:?}");
        }
        assert!(Filter::parse(&nest).unwrap_err().fields()[0].detail.contains("deeper"));
    }
}
