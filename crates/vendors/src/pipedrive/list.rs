//! Lists of v2, by cursor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::account::{Account, Scene};
use super::failure::Failure;
use crate::stand::Answer;
use crate::stand::text::parse_time;
use crate::tables::Row;

/// A time that a parameter gives, in milliseconds.
pub(super) fn time(scene: &Scene<'_>, name: &str) -> Result<Option<i64>, Failure> {
    let parsed = |text| parse_time(text).ok_or_else(|| Failure::invalid(&format!("{name}: must be RFC 3339, as 2025-01-01T10:20:00Z")));
    scene.call.param(name).map(parsed).transpose()
}

fn cursor(key: i64, id: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{key},{id}"))
}

fn read(text: &str) -> Option<(i64, u64)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (key, id) = text.split_once(',')?;
    Some((key.parse().ok()?, id.parse().ok()?))
}

/// Where the next page begins. The description knows no null, so on the last page nothing is said.
pub(super) fn further(next: Option<String>) -> Value {
    next.map_or_else(|| json!({}), |next| json!({"next_cursor": next}))
}

pub(super) fn list(account: &Account, scene: &Scene<'_>, plural: &str) -> Result<Answer, Failure> {
    let (entity, call) = (account.entity(plural)?, scene.call);
    let limit = match call.param("limit").map(str::parse::<usize>) {
        None => 100,
        Some(Ok(limit @ 1..=500)) => limit,
        Some(_) => return Err(Failure::invalid("limit: must be between 1 and 500")),
    };
    let (since, until) = (time(scene, "updated_since")?, time(scene, "updated_until")?);
    let sort = call.param("sort_by").unwrap_or("id");
    let key: fn(&Row<Value>) -> i64 = match sort {
        "id" => |_| 0,
        "update_time" => |row| row.changed_at,
        "add_time" => |row| row.created_at,
        _ => return Err(Failure::invalid("sort_by: must be id, update_time or add_time")),
    };
    let is_descending = call.param("sort_direction") == Some("desc");
    let after = call.param("cursor").map(|text| read(text).ok_or_else(|| Failure::invalid("cursor: invalid"))).transpose()?;
    let ids: Option<Vec<u64>> = call.param("ids").map(|ids| ids.split(',').filter_map(|id| id.trim().parse().ok()).collect());
    let own = |name: &str, row: &Row<Value>| {
        call.param(name).is_none_or(|wanted| row.get(name).is_some_and(|value| value.as_u64() == wanted.parse().ok()))
    };
    let rows: Box<dyn Iterator<Item = &Row<Value>>> = match since {
        Some(since) => Box::new(entity.rows.changed((since, 0)..)),
        None => Box::new(entity.rows.all(..)),
    };
    let mut rows: Vec<_> = rows
        .filter(|row| row.gone.is_none() && until.is_none_or(|until| row.changed_at < until))
        .filter(|row| {
            ids.as_ref().is_none_or(|ids| ids.contains(&row.id)) && own("owner_id", row) && own("org_id", row) && own("person_id", row)
        })
        .collect();
    rows.sort_by_key(|row| (key(row), row.id));
    if is_descending {
        rows.reverse();
    }
    let repeated = call.repeats_rows();
    let is_later = |row: &&&Row<Value>| {
        let Some(after) = after else { return true };
        let own = (key(row), row.id);
        (repeated && own == after) || if is_descending { own < after } else { own > after }
    };
    let rest: Vec<_> = rows.iter().filter(is_later).collect();
    let page: Vec<_> = rest.iter().take(limit).map(|row| entity.shown(row)).collect();
    let next = rest.get(limit.saturating_sub(1)).filter(|_| rest.len() > limit).map(|row| cursor(key(row), row.id));
    Ok(Answer::json(200, &json!({"success": true, "data": page, "additional_data": further(next)})))
}
