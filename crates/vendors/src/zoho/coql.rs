//! COQL, read as the SOQL of this crate after its own forms were turned into that: quoted times, `is null`, `limit 0, 200`.

use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use super::records::{shown, value};
use crate::soql::{self, Condition, Item, Known, Literal, Query};
use crate::stand::Answer;
use crate::stand::text::parse_time;

/// Rows that a query may ask for.
const MAX: usize = 2000;

fn syntax(why: String) -> Failure {
    Failure::new(400, "SYNTAX_ERROR", why)
}

/// The query with its bounds in the other's form.
fn translated(text: &str) -> String {
    let lower = text.to_lowercase();
    let text = match lower.rfind(" limit ") {
        Some(at) if text[at..].contains(',') && text.is_char_boundary(at) => {
            let (offset, count) = text[at + 7..].split_once(',').unwrap_or_default();
            format!("{} LIMIT {} OFFSET {}", &text[..at], count.trim(), offset.trim())
        }
        _ => text.to_owned(),
    };
    text.replace(" is not null", " != null").replace(" is null", " = null")
}

/// Times stand in quotes here.
fn with_times(condition: &mut Condition) {
    let retime = |literal: &mut Literal| {
        if let Literal::Text(text) = literal
            && let Some(at) = parse_time(text)
        {
            *literal = Literal::DateTime(at);
        }
    };
    match condition {
        Condition::And(all) | Condition::Or(all) => all.iter_mut().for_each(with_times),
        Condition::Not(one) => with_times(one),
        Condition::Compare(_, _, literal) => retime(literal),
        Condition::In { values, .. } => values.iter_mut().for_each(retime),
    }
}

pub(super) fn answer(org: &Org, scene: &Scene<'_>) -> Result<Answer, Failure> {
    let body = scene.call.json().unwrap_or_default();
    let text = body["select_query"]
        .as_str()
        .ok_or_else(|| Failure::new(400, "MANDATORY_NOT_FOUND", "required field not found").with(json!({"api_name": "select_query"})))?;
    let mut query = soql::parse(&translated(text)).map_err(syntax)?;
    if let Some(condition) = &mut query.condition {
        with_times(condition);
    }
    let module = org.module(&query.object)?;
    let limit = query.limit.unwrap_or(200);
    if limit > MAX {
        return Err(Failure::new(400, "LIMIT_EXCEEDED", "at most 2000 records").with(json!({"limit": MAX})));
    }
    let names: Vec<&str> =
        query.items.iter().filter_map(|item| if let Item::Field(name) = item { Some(name.as_str()) } else { None }).collect();
    let unknown = names.iter().copied().chain(query.named().into_iter().map(|(name, _)| name)).find(|name| module.field(name).is_none());
    if let Some(name) = unknown {
        return Err(Failure::new(400, "INVALID_QUERY", "column given seems to be invalid").with(json!({"column_name": name})));
    }
    let rows = selected(org, scene, &query)?;
    let more = rows.len() > query.offset + limit;
    let page = Query { limit: Some(limit), ..query.clone() }.bounded(rows);
    let data: Vec<_> = page
        .iter()
        .filter_map(|id| module.rows.get(*id))
        .map(|row| shown(module, row, Some(&names), &row.fields, row.changed_at))
        .collect();
    if data.is_empty() {
        return Ok(Answer::empty(204));
    }
    Ok(Answer::json(200, &json!({"data": data, "info": {"count": data.len(), "more_records": more}})))
}

/// The rows that the query finds, in its order.
fn selected(org: &Org, scene: &Scene<'_>, query: &Query) -> Result<Vec<u64>, Failure> {
    let module = org.module(&query.object)?;
    let now = scene.stand.now();
    let mut found: Vec<_> = module
        .rows
        .iter()
        .filter_map(|row| {
            let (fields, changed_at) = row.searched(now)?;
            let known = |name: &str| {
                let value = module.field(name).map_or(Value::Null, |field| value(field, row, fields, changed_at));
                // A lookup is compared by its id.
                let value = if value.is_object() { value["id"].clone() } else { value };
                Known { value, is_id: false }
            };
            let wanted = query.condition.as_ref().is_none_or(|condition| soql::matches(condition, &known));
            wanted.then(|| (query.orders.iter().map(|order| known(&order.field)).collect::<Vec<_>>(), row.id))
        })
        .collect();
    found.sort_by(|(one, a), (other, b)| {
        let mut orders = query.orders.iter().zip(one.iter().zip(other));
        let decided = orders.find_map(|(order, (one, other))| {
            let plain = soql::compare(one, other);
            plain.is_ne().then(|| if order.is_descending { plain.reverse() } else { plain })
        });
        decided.unwrap_or_else(|| a.cmp(b))
    });
    Ok(found.into_iter().map(|(_, id)| id).collect())
}
