//! Leads, which have stayed on v1: ids are UUIDs, lists go by offset.

use serde_json::{Map, Value, json};

use super::account::{Account, Scene};
use super::failure::Failure;
use super::fields::Entity;
use super::list::time;
use crate::stand::Answer;
use crate::stand::text::rfc3339;
use crate::tables::{How, Row};

impl Entity {
    /// A lead as v1 shows it.
    pub(super) fn lead(&self, row: &Row<Value>) -> Value {
        let get = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
        let or = |name: &str, otherwise: Value| row.get(name).filter(|value| !value.is_null()).cloned().unwrap_or(otherwise);
        json!({
            "id": get("id"), "title": get("title"), "owner_id": get("owner_id"), "creator_id": get("owner_id"),
                "label_ids": or("label_ids", json!([])),
            "person_id": get("person_id"), "organization_id": get("organization_id"), "source_name": "API", "origin": "API",
            "origin_id": get("origin_id"), "channel": get("channel"), "channel_id": get("channel_id"), "is_archived": or("is_archived",
                json!(false)),
            "was_seen": or("was_seen", json!(false)), "value": get("value"), "expected_close_date": get("expected_close_date"),
            "next_activity_id": null, "add_time": rfc3339(row.created_at), "update_time": rfc3339(row.changed_at),
                "visible_to": or("visible_to", json!("3")),
            "cc_email": "double+1@double.invalid",
        })
    }
}

fn missing() -> Failure {
    Failure::not_found("requested lead not found")
}

fn number(account: &Account, id: &str) -> Result<u64, Failure> {
    account.entity("leads")?.rows.find("id", &json!(id)).ok_or_else(missing)
}

fn shown(account: &Account, status: u16, number: u64) -> Result<Answer, Failure> {
    let leads = account.entity("leads")?;
    let row = leads.rows.get(number).ok_or_else(missing)?;
    Ok(Answer::json(status, &json!({"success": true, "data": leads.lead(row)})))
}

pub(super) fn answer(account: &mut Account, scene: &Scene<'_>, rest: &[&str]) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("GET", []) => list(account, scene),
        ("POST", []) => {
            let body = scene.body()?;
            if body["person_id"].is_null() && body["organization_id"].is_null() {
                return Err(Failure::invalid("A lead must be linked to a person or an organization"));
            }
            let made = account.create(scene, "leads", &body)?;
            shown(account, 201, made)
        }
        ("GET", [id]) => shown(account, 200, number(account, id)?),
        ("PATCH", [id]) => {
            let number = number(account, id)?;
            account.change(scene, "leads", number, &scene.body()?)?;
            shown(account, 200, number)
        }
        ("DELETE", [id]) => {
            let number = number(account, id)?;
            account.delete(scene, "leads", number, How::Purged)?;
            Ok(Answer::json(200, &json!({"success": true, "data": {"id": id}})))
        }
        _ => Err(Failure::not_found("Unknown method .")),
    }
}

fn list(account: &Account, scene: &Scene<'_>) -> Result<Answer, Failure> {
    let (leads, call) = (account.entity("leads")?, scene.call);
    let (start, limit) = (call.number("start").unwrap_or(0), call.number("limit").unwrap_or(100).clamp(1, 500));
    let since = time(scene, "updated_since")?;
    let own = |name: &str, row: &Row<Value>| {
        call.param(name).is_none_or(|wanted| row.get(name).is_some_and(|value| value.as_u64() == wanted.parse().ok()))
    };
    let mut rows: Vec<_> = leads
        .rows
        .iter()
        .filter(|row| since.is_none_or(|since| row.changed_at >= since))
        .filter(|row| own("person_id", row) && own("organization_id", row))
        .collect();
    if let Some(sort) = call.param("sort") {
        let (field, direction) = sort.split_once(' ').unwrap_or((sort, "ASC"));
        match field {
            "update_time" => rows.sort_by_key(|row| (row.changed_at, row.id)),
            "add_time" => rows.sort_by_key(|row| (row.created_at, row.id)),
            _ => rows.sort_by_key(|row| row.id),
        }
        if direction.eq_ignore_ascii_case("desc") {
            rows.reverse();
        }
    }
    let from = if call.repeats_rows() { start.saturating_sub(1) } else { start };
    let page: Vec<_> = rows.iter().take(start + limit).skip(from).map(|row| leads.lead(row)).collect();
    let more = start + limit < rows.len();
    let mut pagination = Map::from_iter([
        ("start".to_owned(), json!(start)),
        ("limit".to_owned(), json!(limit)),
        ("more_items_in_collection".to_owned(), json!(more)),
    ]);
    if more {
        pagination.insert("next_start".to_owned(), json!(start + limit));
    }
    Ok(Answer::json(200, &json!({"success": true, "data": page, "additional_data": {"pagination": pagination}})))
}
