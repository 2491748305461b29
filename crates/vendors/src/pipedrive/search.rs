//! Search of v2. It sees what was written a little later.

use serde_json::{Value, json};

use super::account::{Account, Scene};
use super::failure::Failure;
use super::list::further;
use crate::stand::Answer;
use crate::tables::Fields;

/// The texts of a row that a search looks at.
fn texts(fields: &Fields<Value>, wanted: &[&str]) -> Vec<String> {
    let asks = |name: &str| wanted.is_empty() || wanted.contains(&name);
    let mut texts = Vec::new();
    for (name, value) in fields.iter() {
        match (&**name, value) {
            ("name" | "title", Value::String(text)) if asks("name") || asks("title") => texts.push(text.clone()),
            ("notes", Value::String(text)) if asks("notes") => texts.push(text.clone()),
            ("emails", Value::Array(all)) if asks("email") => {
                texts.extend(all.iter().filter_map(|one| one["value"].as_str()).map(str::to_owned));
            }
            ("phones", Value::Array(all)) if asks("phone") => {
                texts.extend(all.iter().filter_map(|one| one["value"].as_str()).map(str::to_owned));
            }
            (name, Value::String(text)) if name.len() == 40 && asks("custom_fields") => texts.push(text.clone()),
            _ => {}
        }
    }
    texts
}

pub(super) fn search(account: &Account, scene: &Scene<'_>, plural: &str) -> Result<Answer, Failure> {
    let (entity, call) = (account.entity(plural)?, scene.call);
    let term = call.param("term").unwrap_or_default().to_lowercase();
    let exact = call.flag("exact_match");
    if term.chars().count() < if exact { 1 } else { 2 } {
        return Err(Failure::invalid("term: must have at least 2 characters, or 1 with exact_match"));
    }
    let wanted: Vec<_> = call.param("fields").map(|fields| fields.split(',').map(str::trim).collect()).unwrap_or_default();
    let limit = call.number("limit").unwrap_or(100).clamp(1, 500);
    let start: usize = call.param("cursor").and_then(|text| text.strip_prefix("s")?.parse().ok()).unwrap_or(0);
    let now = scene.at.stand.now();
    let is_hit = |text: &String| if exact { text.to_lowercase() == term } else { text.to_lowercase().contains(&term) };
    let hits: Vec<_> = entity
        .rows
        .iter()
        .filter_map(|row| row.searched(now).map(|(fields, _)| (row, fields)))
        .filter(|(_, fields)| texts(fields, &wanted).iter().any(is_hit))
        .collect();
    let items: Vec<_> = hits
        .iter()
        .skip(start)
        .take(limit)
        .map(|(row, fields)| {
            let listed = |name: &str| {
                fields.get(name).and_then(Value::as_array).into_iter().flatten().map(|one| one["value"].clone()).collect::<Vec<_>>()
            };
            let id = fields.get("id").cloned().unwrap_or_else(|| json!(row.id));
            let mut item = json!({
                "id": id, "type": entity.singular, "visible_to": 3, "owner": {"id": fields.get("owner_id").cloned().unwrap_or(json!(1))},
                "custom_fields": [], "notes": [],
            });
            if plural == "persons" {
                item["emails"] = json!(listed("emails"));
                item["phones"] = json!(listed("phones"));
            }
            let named = if matches!(plural, "deals" | "leads") { "title" } else { "name" };
            item[named] = fields.get(named).cloned().unwrap_or(Value::Null);
            json!({"result_score": 0.5, "item": item})
        })
        .collect();
    let next = (start + limit < hits.len()).then(|| format!("s{}", start + limit));
    Ok(Answer::json(200, &json!({"success": true, "data": {"items": items}, "additional_data": further(next)})))
}
