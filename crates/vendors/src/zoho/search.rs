//! Search by criteria, by e-mail, phone or word. It sees what was written a little later.

use serde_json::{Value, json};

use super::failure::Failure;
use super::modules::Module;
use super::org::{Org, Scene};
use super::records::{shown, value};
use crate::stand::Answer;
use crate::stand::text::parse_time;
use crate::tables::{Fields, Row};

/// Criteria may stand in each other so deep.
const DEPTH: usize = 20;

#[derive(Debug, PartialEq)]
enum Criteria {
    And(Vec<Criteria>),
    Or(Vec<Criteria>),
    One(String, String, String),
}

/// Reads `((Email:equals:a@b.co)and(City:starts_with:Ber))`. Commas and parentheses of values are escaped by a backslash.
fn parse(text: &str, depth: usize) -> Option<Criteria> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    if depth > DEPTH {
        return None;
    }
    if !inner.trim_start().starts_with('(') {
        let mut parts = inner.splitn(3, ':');
        let (name, operator, value) = (parts.next()?, parts.next()?, parts.next()?);
        return Some(Criteria::One(name.trim().to_owned(), operator.trim().to_owned(), value.replace('\\', "")));
    }
    let (mut all, mut joint, mut open, mut start) = (Vec::new(), None, 0i32, 0);
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => {
                if open == 0 && at > start {
                    let word = inner[start..at].trim().to_lowercase();
                    if joint.as_ref().is_some_and(|known| *known != word) || !matches!(word.as_str(), "and" | "or" | "") {
                        return None;
                    }
                    joint = Some(word);
                    start = at;
                }
                open += 1;
            }
            ')' => {
                open -= 1;
                if open == 0 {
                    all.push(parse(&inner[start..=at], depth + 1)?);
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
    if open != 0 || !inner[start..].trim().is_empty() {
        return None;
    }
    Some(if joint.as_deref() == Some("or") { Criteria::Or(all) } else { Criteria::And(all) })
}

fn holds(module: &Module, criteria: &Criteria, row: &Row<Value>, fields: &Fields<Value>, changed_at: i64) -> bool {
    match criteria {
        Criteria::And(all) => all.iter().all(|one| holds(module, one, row, fields, changed_at)),
        Criteria::Or(all) => all.iter().any(|one| holds(module, one, row, fields, changed_at)),
        Criteria::One(name, operator, wanted) => {
            let Some(field) = module.field(name) else { return false };
            let own = match value(field, row, fields, changed_at) {
                Value::Null => return wanted == "null" && operator == "equals",
                Value::String(text) => text,
                Value::Object(map) => map.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
                other => other.to_string(),
            };
            let (own, wanted) = (own.to_lowercase(), wanted.to_lowercase());
            let order =
                match (parse_time(&own.to_uppercase()), parse_time(&wanted.to_uppercase()), own.parse::<f64>(), wanted.parse::<f64>()) {
                    (Some(own), Some(wanted), ..) => own.cmp(&wanted),
                    (_, _, Ok(own), Ok(wanted)) => own.total_cmp(&wanted),
                    _ => own.cmp(&wanted),
                };
            match operator.as_str() {
                "equals" => order.is_eq(),
                "not_equal" => order.is_ne(),
                "starts_with" => own.starts_with(&wanted),
                "contains" => own.contains(&wanted),
                "in" => wanted.split(',').any(|one| one.trim() == own),
                "greater_than" => order.is_gt(),
                "greater_equal" => order.is_ge(),
                "less_than" => order.is_lt(),
                "less_equal" => order.is_le(),
                "between" => wanted.split_once(',').is_some_and(|(low, high)| own.as_str() >= low.trim() && own.as_str() <= high.trim()),
                _ => false,
            }
        }
    }
}

pub(super) fn answer(org: &Org, scene: &Scene<'_>, name: &str) -> Result<Answer, Failure> {
    let (module, call) = (org.module(name)?, scene.call);
    let invalid = || Failure::new(400, "INVALID_QUERY", "invalid query formed");
    let criteria = match call.param("criteria") {
        Some(text) => Some(parse(text, 0).or_else(|| parse(&format!("({text})"), 0)).ok_or_else(invalid)?),
        None => call
            .param("email")
            .map(|email| Criteria::One("Email".into(), "equals".into(), email.to_owned()))
            .or_else(|| call.param("phone").map(|phone| Criteria::One("Phone".into(), "equals".into(), phone.to_owned()))),
    };
    let word = call.param("word").unwrap_or_default().to_lowercase();
    if criteria.is_none() && word.is_empty() {
        return Err(Failure::new(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing")
            .with(json!({"param_names": ["criteria", "email", "phone", "word"]})));
    }
    let now = scene.stand.now();
    let hits: Vec<_> = module
        .rows
        .iter()
        .filter_map(|row| row.searched(now).map(|(fields, changed_at)| (row, fields, changed_at)))
        .filter(|(row, fields, changed_at)| criteria.as_ref().is_none_or(|criteria| holds(module, criteria, row, fields, *changed_at)))
        .filter(|(_, fields, _)| {
            word.is_empty() || fields.iter().any(|(_, value)| value.as_str().is_some_and(|text| text.to_lowercase().contains(&word)))
        })
        .collect();
    let (size, page) = (call.number("per_page").unwrap_or(200).clamp(1, 200), call.number("page").unwrap_or(1).max(1));
    if page * size > 2000 {
        return Err(Failure::new(400, "LIMIT_EXCEEDED", "search reaches 2000 records").with(json!({"limit": 2000})));
    }
    let only: Option<Vec<_>> = call.param("fields").map(|fields| fields.split(',').map(str::trim).collect());
    let data: Vec<_> = hits
        .iter()
        .skip((page - 1) * size)
        .take(size)
        .map(|(row, fields, changed_at)| shown(module, row, only.as_deref(), fields, *changed_at))
        .collect();
    if data.is_empty() {
        return Ok(Answer::empty(204));
    }
    let info = json!({"per_page": size, "count": data.len(), "page": page, "more_records": page * size < hits.len()});
    Ok(Answer::json(200, &json!({"data": data, "info": info})))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn criteria_are_read_with_their_joints() {
        let one = |name: &str, value: &str| Criteria::One(name.into(), "equals".into(), value.into());
        assert_eq!(parse("(Email:equals:a@b.co)", 0), Some(one("Email", "a@b.co")));
        assert_eq!(parse(r"((A:equals:x\(y\))and(B:equals:1:2))", 0), Some(Criteria::And(vec![one("A", "x(y)"), one("B", "1:2")])));
        let nested = Criteria::Or(vec![Criteria::And(vec![one("A", "1"), one("B", "2")]), one("C", "3")]);
        assert_eq!(parse("(((A:equals:1) and (B:equals:2)) or (C:equals:3))", 0), Some(nested));
        for text in ["", "A:equals:1", "(A:equals)", "((A:equals:1)and(B:equals:2)or(C:equals:3))", "((A:equals:1)"] {
            assert_eq!(parse(text, 0), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_criteria_or_is_not(text in "[()a:é\\\\, andor]{0,40}") {
            let _ = parse(&text, 0);
        }
    }
}
