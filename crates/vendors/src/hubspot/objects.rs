//! Single rows and lists of them.

use serde_json::{Value, json};

use super::failure::Failure;
use super::portal::{Portal, Scene};
use super::rows;
use crate::stand::{Answer, Call};
use crate::tables::{How, Row};

pub(super) fn answer(portal: &mut Portal, scene: &Scene<'_>, kind: &str, rest: &[&str]) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("GET", []) => list(portal, scene, kind),
        ("POST", []) => {
            let id = portal.create(scene, kind, &scene.body()?)?;
            let found = portal.kind(kind)?;
            Ok(Answer::json(201, &rows::whole(found, found.rows.get(id).ok_or_else(Failure::not_found)?)))
        }
        ("POST", ["merge"]) => {
            let body = scene.body()?;
            let id = |name: &str| body[name].as_str().unwrap_or_default();
            let (primary, other) = {
                let found = portal.kind(kind)?;
                (found.present(id("primaryObjectId"), None)?.id, found.present(id("objectIdToMerge"), None)?.id)
            };
            portal.merge(scene, kind, primary, other)?;
            let found = portal.kind(kind)?;
            Ok(Answer::json(200, &rows::whole(found, found.rows.get(primary).ok_or_else(Failure::not_found)?)))
        }
        ("POST", ["gdpr-delete"]) => {
            let body = scene.body()?;
            let number = portal.kind(kind)?.number(body["objectId"].as_str().unwrap_or_default(), body["idProperty"].as_str())?;
            portal.remove(scene, kind, number, How::Purged)?;
            Ok(Answer::empty(204))
        }
        ("GET", [id]) => read(portal, scene, kind, id),
        ("PATCH", [id]) => {
            let number = portal.kind(kind)?.present(id, scene.call.param("idProperty"))?.id;
            portal.update(scene, kind, number, &scene.body()?["properties"])?;
            let found = portal.kind(kind)?;
            Ok(Answer::json(200, &rows::whole(found, found.rows.get(number).ok_or_else(Failure::not_found)?)))
        }
        ("DELETE", [id]) => {
            // Archiving what is not there is done as well, as at HubSpot.
            if let Ok(number) = portal.kind(kind)?.number(id, None) {
                let _ = portal.remove(scene, kind, number, How::Bin);
            }
            Ok(Answer::empty(204))
        }
        _ => Err(Failure::new(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed")),
    }
}

/// Names of a parameter that may be given once with commas, or several times.
pub(super) fn names(call: &Call, name: &str) -> Vec<String> {
    let given = call.query.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(','));
    given.map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

fn read(portal: &Portal, scene: &Scene<'_>, kind: &str, id: &str) -> Result<Answer, Failure> {
    let (found, call) = (portal.kind(kind)?, scene.call);
    let number = found.number(id, call.param("idProperty"))?;
    let row = found.rows.any(number).ok_or_else(Failure::not_found)?;
    let wanted = row.gone.map(|gone| gone.how) == call.flag("archived").then_some(How::Bin);
    if !wanted {
        return Err(Failure::not_found());
    }
    let mut value = rows::shown(found, row, Some(&names(call, "properties")));
    let asked = names(call, "associations");
    portal.with_links(kind, number, &asked.iter().map(String::as_str).collect::<Vec<_>>(), &mut value);
    Ok(Answer::json(200, &value))
}

fn list(portal: &Portal, scene: &Scene<'_>, kind: &str) -> Result<Answer, Failure> {
    let (found, call) = (portal.kind(kind)?, scene.call);
    let limit = match call.param("limit").map(str::parse) {
        None => 10,
        Some(Ok(limit @ 1..=100)) => limit,
        Some(_) => return Err(Failure::invalid("limit must be between 1 and 100")),
    };
    let after = match call.param("after").filter(|after| !after.is_empty()) {
        None => 0,
        Some(text) => text.parse().map_err(|_| Failure::invalid(format!("Invalid after token: {text}")))?,
    };
    let from = if call.repeats_rows() { after } else { after + u64::from(after > 0) };
    let archived = call.flag("archived");
    let wanted = |row: &&Row<String>| if archived { row.gone.is_some_and(|gone| gone.how == How::Bin) } else { row.gone.is_none() };
    let mut page: Vec<_> = found.rows.all(from..).filter(wanted).take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let (asked, links) = (names(call, "properties"), names(call, "associations"));
    let links: Vec<_> = links.iter().map(String::as_str).collect();
    let results: Vec<Value> = page
        .iter()
        .map(|row| {
            let mut value = rows::shown(found, row, Some(&asked));
            portal.with_links(kind, row.id, &links, &mut value);
            value
        })
        .collect();
    let mut value = json!({"results": results});
    if let Some(last) = page.last().filter(|_| more) {
        let link = format!("{}{}?after={}", call.origin(), call.path(), last.id);
        value["paging"] = json!({"next": {"after": last.id.to_string(), "link": link}});
    }
    Ok(Answer::json(200, &value))
}
