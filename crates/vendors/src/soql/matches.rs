//! Whether a row satisfies a condition, and which of two rows is first.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Condition, Literal, Operator};
use crate::stand::text::parse_time;

/// What is known of a field of a row: its value and whether its text tells upper from lower case.
pub(crate) struct Known {
    pub(crate) value: Value,
    pub(crate) is_id: bool,
}

/// Whether a row, whose fields `known` tells, satisfies the condition.
pub(crate) fn matches(condition: &Condition, known: &impl Fn(&str) -> Known) -> bool {
    match condition {
        Condition::And(all) => all.iter().all(|one| matches(one, known)),
        Condition::Or(all) => all.iter().any(|one| matches(one, known)),
        Condition::Not(one) => !matches(one, known),
        Condition::Compare(field, operator, literal) => holds(&known(field), *operator, literal),
        Condition::In { field, values, is_negated } => {
            let known = known(field);
            values.iter().any(|value| holds(&known, Operator::Equal, value)) != *is_negated
        }
    }
}

fn holds(known: &Known, operator: Operator, literal: &Literal) -> bool {
    let order = against(known, literal);
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Like => match (&known.value, literal) {
            (Value::String(text), Literal::Text(pattern)) => like(&fold(text), &fold(pattern)),
            _ => false,
        },
    }
}

fn fold(text: &str) -> Vec<char> {
    text.to_lowercase().chars().collect()
}

/// The row's value against the query's; `None` where they cannot be compared. Null is equal to null and to nothing else.
fn against(known: &Known, literal: &Literal) -> Option<Ordering> {
    match (&known.value, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::Bool(own), Literal::Bool(other)) => Some(own.cmp(other)),
        (Value::Number(own), Literal::Number(other)) => own.as_f64()?.partial_cmp(other),
        (Value::String(own), Literal::Text(other)) if known.is_id => Some(short(own).cmp(short(other))),
        (Value::String(own), Literal::Text(other)) => Some(own.to_lowercase().cmp(&other.to_lowercase())),
        (Value::String(own), Literal::DateTime(other)) => Some(parse_time(own)?.cmp(other)),
        (Value::String(own), Literal::Date(other)) => Some(own.as_str().cmp(other)),
        _ => None,
    }
}

/// An id of 18 characters says the same as its first 15.
fn short(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

/// `%` is any text, `_` any character; a backslash makes either of them itself.
fn like(text: &[char], pattern: &[char]) -> bool {
    // Positions of the pattern that the text so far can be at: no backtracking, so no pattern is slow.
    let mut steps = Vec::new();
    let mut chars = pattern.iter();
    while let Some(c) = chars.next() {
        steps.push(match c {
            '%' => None,
            '_' => Some(None),
            '\\' => Some(chars.next().copied()),
            c => Some(Some(*c)),
        });
    }
    let mut at = vec![false; steps.len() + 1];
    at[0] = true;
    spread(&steps, &mut at);
    for c in text {
        let mut next = vec![false; steps.len() + 1];
        for (index, step) in steps.iter().enumerate().filter(|(index, _)| at[*index]) {
            match step {
                None => next[index] = true,
                Some(wanted) if wanted.is_none_or(|wanted| wanted == *c) => next[index + 1] = true,
                Some(_) => {}
            }
        }
        spread(&steps, &mut next);
        at = next;
    }
    at[steps.len()]
}

/// A `%` may also stand for nothing.
fn spread(steps: &[Option<Option<char>>], at: &mut [bool]) {
    for (index, step) in steps.iter().enumerate() {
        if at[index] && step.is_none() {
            at[index + 1] = true;
        }
    }
}

/// The order of two values of one field; null is first.
pub(crate) fn compare(one: &Known, other: &Known) -> Ordering {
    match (&one.value, &other.value) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(one), Value::Number(other)) => one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::String(a), Value::String(b)) if one.is_id => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::parse;
    use super::*;

    fn holds(condition: &str, row: &Value) -> bool {
        let query = parse(&format!("SELECT Id FROM Lead WHERE {condition}")).unwrap();
        matches(&query.condition.unwrap(), &|name| Known { value: row[name].clone(), is_id: name == "Id" })
    }

    #[test]
    fn conditions_hold_as_salesforce_says() {
        let row =
            json!({"Name": "O'Neil \\ 50%", "City": null, "N": 5, "B": true, "At": "2026-01-01T00:00:00.000+0000", "Day": "2026-01-02"});
        for yes in [
            r"Name = 'o\'neil \\ 50%'",
            r"Name LIKE '%50\%'",
            "Name LIKE 'O_Neil%'",
            "City = null",
            "City != 'x'",
            "N > 4 AND N <= 5",
            "NOT (N = 4)",
            "(N = 4 OR B = true) AND City = NULL",
            "At >= 2026-01-01T00:00:00Z",
            "At = 2026-01-01T01:00:00+01:00",
            "Day > 2026-01-01",
            "N IN (4, 5)",
            "City NOT IN ('x')",
        ] {
            assert!(holds(yes, &row), "{yes}");
        }
        for no in [r"Name LIKE '%50\_'", "City < 'x'", "N NOT IN (5)", "At > 2026-01-01T00:00:00.000Z", "Name LIKE 'neil'"] {
            assert!(!holds(no, &row), "{no}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for text in [
            "",
            "SELECT",
            "SELECT Id FROM",
            "SELECT Id FROM Lead WHERE",
            "SELECT Id FROM Lead WHERE Name = 'x",
            r"SELECT Id FROM Lead WHERE Name = '\q'",
            "SELECT Id FROM Lead WHERE a = 1 AND b = 2 OR c = 3",
            "SELECT Id FROM Lead LIMIT x",
            "SELECT Id FROM Lead extra",
            "SELECT Id FROM Lead WHERE At > 2026-13-01T00:00:00Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_an_error(text in "(SELECT |Id|FROM|Lead|WHERE|[a-z'()=<>%\\\\]| |NOT|AND|[0-9:TZ-]){0,30}") {
            let _ = parse(&text);
        }

        /// What is escaped as Salesforce says comes back as it was.
        #[test]
        fn escaped_text_finds_itself(text in ".{0,20}") {
            let escaped = text.replace('\\', r"\\").replace('\'', r"\'").replace('\n', r"\n").replace('\r', r"\r");
            let found = holds(&format!("Name = '{escaped}'"), &json!({"Name": text}));
            prop_assert!(found);
        }
    }
}
