//! Reading: pages, page tokens, one row, the feed of deleted rows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{Org, Scene, user};
use super::records::{shown, time};
use crate::stand::Answer;
use crate::stand::text::parse_time;
use crate::tables::{How, Row};

/// Rows of a page.
const PAGE: usize = 200;
/// Rows that can be reached by numbers of pages; further ones by page tokens only.
const DISCRETE: usize = 2000;

/// The time in a header field, in milliseconds.
pub(super) fn header(scene: &Scene<'_>, name: &str) -> Option<i64> {
    scene.call.header(name).and_then(parse_time)
}

fn page_size(scene: &Scene<'_>) -> usize {
    scene.call.number("per_page").unwrap_or(PAGE).clamp(1, PAGE)
}

pub(super) fn one(org: &Org, scene: &Scene<'_>, name: &str, id: &str) -> Result<Answer, Failure> {
    let module = org.module(name)?;
    let Some(row) = id.parse().ok().and_then(|id| module.rows.get(id)) else { return Ok(Answer::empty(204)) };
    if header(scene, "if-modified-since").is_some_and(|since| row.changed_at <= since) {
        return Ok(Answer::empty(304));
    }
    let only: Option<Vec<_>> = scene.call.param("fields").map(|fields| fields.split(',').collect());
    Ok(Answer::json(200, &json!({"data": [shown(module, row, only.as_deref(), &row.fields, row.changed_at)]})))
}

/// Where a page token stands: after the row with this key and number.
fn token(key: i64, id: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{key},{id}"))
}

fn read(text: &str) -> Option<(i64, u64)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (key, id) = text.split_once(',')?;
    Some((key.parse().ok()?, id.parse().ok()?))
}

/// The fields that are asked for, which a list must say.
fn fields<'c>(scene: &Scene<'c>) -> Result<Vec<&'c str>, Failure> {
    let missing = || Failure::new(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing");
    let text = scene.call.param("fields").ok_or_else(|| missing().with(json!({"param_name": "fields"})))?;
    let fields: Vec<_> = text.split(',').map(str::trim).collect();
    if fields.len() > 50 {
        return Err(Failure::new(400, "LIMIT_EXCEEDED", "at most 50 fields").with(json!({"limit": 50})));
    }
    Ok(fields)
}

pub(super) fn list(org: &Org, scene: &Scene<'_>, name: &str) -> Result<Answer, Failure> {
    let (module, call, only) = (org.module(name)?, scene.call, fields(scene)?);
    let (size, page) = (page_size(scene), call.number("page").unwrap_or(1).max(1));
    let after = call
        .param("page_token")
        .map(|text| read(text).ok_or_else(|| Failure::new(400, "INVALID_DATA", "invalid page token")))
        .transpose()?;
    if after.is_none() && page * size > DISCRETE {
        return Err(Failure::new(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "Records beyond 2000 are reached by page_token only"));
    }
    let key: fn(&Row<Value>) -> i64 = match call.param("sort_by") {
        Some("Modified_Time") => |row| row.changed_at,
        Some("Created_Time") => |row| row.created_at,
        _ => |_| 0,
    };
    let is_ascending = call.param("sort_order") == Some("asc");
    let since = header(scene, "if-modified-since");
    let rows: Box<dyn Iterator<Item = &Row<Value>>> = match since {
        Some(since) => Box::new(module.rows.changed((since + 1, 0)..)),
        None => Box::new(module.rows.all(..)),
    };
    let ids: Option<Vec<u64>> = call.param("ids").map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect());
    let mut rows: Vec<_> = rows.filter(|row| row.gone.is_none() && ids.as_ref().is_none_or(|ids| ids.contains(&row.id))).collect();
    rows.sort_by_key(|row| (key(row), row.id));
    if !is_ascending {
        rows.reverse();
    }
    let start = match after {
        Some(after) => rows.partition_point(|row| if is_ascending { (key(row), row.id) <= after } else { (key(row), row.id) >= after }),
        None => (page - 1) * size,
    };
    let end = rows.len().min(start + size);
    let from = if call.repeats_rows() { start.saturating_sub(1) } else { start };
    let taken = rows.get(from..end).unwrap_or_default();
    if taken.is_empty() {
        return Ok(Answer::empty(if since.is_some() { 304 } else { 204 }));
    }
    let more = end < rows.len();
    let data: Vec<_> = taken.iter().map(|row| shown(module, row, Some(&only), &row.fields, row.changed_at)).collect();
    let next = taken.last().filter(|_| more).map(|row| token(key(row), row.id));
    Ok(Answer::json(
        200,
        &json!({"data": data, "info": {
            "per_page": size, "count": data.len(), "page": page, "sort_by": call.param("sort_by").unwrap_or("id"),
            "sort_order": if is_ascending { "asc" } else { "desc" }, "more_records": more, "next_page_token": next,
                "previous_page_token": null,
            "page_token_expiry": next.as_ref().map(|_| time(scene.change.at + 86_400_000)),
        }}),
    ))
}

pub(super) fn deleted(org: &Org, scene: &Scene<'_>, name: &str) -> Result<Answer, Failure> {
    let module = org.module(name)?;
    let wanted = scene.call.param("type").unwrap_or("all");
    let since = header(scene, "if-modified-since").unwrap_or(0);
    let kind = |how: How| if how == How::Bin { "recycle" } else { "permanent" };
    let gone: Vec<_> = module
        .rows
        .changed((since, 0)..)
        .filter_map(|row| Some((row, row.gone?)))
        .filter(|(_, gone)| wanted == "all" || wanted == kind(gone.how))
        .map(|(row, gone)| {
            let named = row.get("Last_Name").or_else(|| row.get("Account_Name")).or_else(|| row.get("Deal_Name"));
            json!({
                "id": row.id.to_string(), "deleted_time": time(gone.at), "type": kind(gone.how), "display_name": named,
                    "deleted_by": user(row.changed_by),
                "created_by": user(1),
            })
        })
        .collect();
    let (size, page) = (page_size(scene), scene.call.number("page").unwrap_or(1).max(1));
    let data: Vec<_> = gone.iter().skip((page - 1) * size).take(size).collect();
    if data.is_empty() {
        return Ok(Answer::empty(204));
    }
    let info = json!({"per_page": size, "count": data.len(), "page": page, "more_records": page * size < gone.len()});
    Ok(Answer::json(200, &json!({"data": data, "info": info})))
}
