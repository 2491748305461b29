//! Contacts.

use serde_json::{Value, json};

use super::{State, hooks, refusal};
use crate::stand::text::{parse_time, rfc3339};
use crate::stand::{Answer, Call};
use crate::tables::{Change, How, Row, Table};

/// Fields: name, kind, whether a contact needs it.
const FIELDS: &[(&str, &str, bool)] = &[
    ("email", "email", true),
    ("firstName", "text", false),
    ("lastName", "text", false),
    ("phone", "phone", false),
    ("score", "number", false),
    ("stage", "choice", false),
    ("subscribed", "boolean", false),
];
const STAGES: &[&str] = &["new", "working", "won", "lost"];

pub(super) fn table() -> Table<Value> {
    let mut table = Table::new(1, |value: &Value| value.as_str().map(str::to_lowercase));
    table.index("email");
    table
}

pub(super) fn id(number: u64) -> String {
    format!("con_{number}")
}

/// The number of an id; 0, which nobody has, for one that is none.
pub(super) fn number(id: &str) -> u64 {
    id.strip_prefix("con_").and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

pub(super) fn shown(row: &Row<Value>) -> Value {
    let mut out = json!({"id": id(row.id), "createdAt": rfc3339(row.created_at), "updatedAt": rfc3339(row.changed_at)});
    for (name, ..) in FIELDS {
        out[*name] = row.get(name).cloned().unwrap_or(Value::Null);
    }
    out
}

fn missing() -> Answer {
    refusal(404, "no_such_contact", "there is no such contact")
}

fn wrong(field: &str, message: &str) -> Answer {
    Answer::json(422, &json!({"error": {"code": "wrong_value", "message": message, "field": field}}))
}

/// The fields of a body, checked.
fn checked(body: &Value) -> Result<Vec<(String, Value)>, Answer> {
    let members = body.as_object().ok_or_else(|| wrong("", "a contact is an object"))?;
    let mut given = Vec::new();
    for (name, value) in members {
        let Some((_, kind, required)) = FIELDS.iter().find(|(field, ..)| field == name) else {
            return Err(wrong(name, "there is no such field"));
        };
        let fits = match *kind {
            _ if value.is_null() => !*required,
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "email" => value.as_str().is_some_and(|text| text.contains('@')),
            "choice" => value.as_str().is_some_and(|text| STAGES.contains(&text)),
            _ => value.is_string(),
        };
        if !fits {
            return Err(wrong(name, &format!("must be a {kind}")));
        }
        given.push((name.clone(), value.clone()));
    }
    Ok(given)
}

pub(super) fn answer(state: &mut State, call: &Call, change: Change) -> Answer {
    let (method, path) = call.route();
    let body = || call.json().unwrap_or_default();
    let done = match (method, &path[2..]) {
        ("GET", []) => list(state, call),
        ("GET", ["fields"]) => Ok(fields()),
        ("GET", ["removed"]) => removed(state, call),
        ("GET", ["lookup"]) => Ok(lookup(state, call, change.at)),
        ("POST", []) => state.create(&body()["contact"], change).and_then(|number| one(state, 201, number)),
        ("PUT", ["by-email", email]) => upsert(state, email, &body()["contact"], change),
        ("GET", [id]) => one(state, 200, number(id)),
        ("PATCH", [id]) => state.update(id, &body()["contact"], change).and_then(|number| one(state, 200, number)),
        ("DELETE", [id]) => state.remove(id, How::Bin, change).map(|()| Answer::empty(204)),
        _ => Err(missing()),
    };
    done.unwrap_or_else(|refusal| refusal)
}

fn one(state: &State, status: u16, number: u64) -> Result<Answer, Answer> {
    let row = state.contacts.get(number).ok_or_else(missing)?;
    Ok(Answer::json(status, &json!({"contact": shown(row)})))
}

fn upsert(state: &mut State, email: &str, body: &Value, change: Change) -> Result<Answer, Answer> {
    match state.contacts.find("email", &json!(email)) {
        Some(number) => {
            state.update(&id(number), body, change)?;
            one(state, 200, number)
        }
        None => {
            let number = state.create(body, change)?;
            one(state, 201, number)
        }
    }
}

impl State {
    pub(super) fn create(&mut self, body: &Value, change: Change) -> Result<u64, Answer> {
        let given = checked(body)?;
        let email = given.iter().find(|(name, _)| name == "email").ok_or_else(|| wrong("email", "is required"))?;
        self.free(&email.1, 0)?;
        let number = self.contacts.insert(given.iter().map(|(name, value)| (name.as_str(), value.clone())), change);
        hooks::tell(self, number, "made", None);
        Ok(number)
    }

    /// That no other contact has this address.
    fn free(&self, email: &Value, own: u64) -> Result<(), Answer> {
        match self.contacts.find("email", email) {
            Some(other) if other != own => {
                let body = json!({"error": {"code": "exists", "message": "a contact has this address", "field": "email", "id": id(other)}});
                Err(Answer::json(409, &body))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn update(&mut self, id: &str, body: &Value, change: Change) -> Result<u64, Answer> {
        let number = self.contacts.get(number(id)).ok_or_else(missing)?.id;
        let given = checked(body)?;
        if let Some((_, email)) = given.iter().find(|(name, _)| name == "email") {
            self.free(email, number)?;
        }
        self.contacts.update(number, given.iter().map(|(name, value)| (name.as_str(), value.clone())), change);
        hooks::tell(self, number, "changed", None);
        Ok(number)
    }

    pub(super) fn remove(&mut self, id: &str, how: How, change: Change) -> Result<(), Answer> {
        let number = self.contacts.get(number(id)).ok_or_else(missing)?.id;
        self.contacts.remove(number, how, change);
        let into = if let How::Merged(into) = how { Some(into) } else { None };
        hooks::tell(self, number, if into.is_some() { "merged" } else { "removed" }, into);
        Ok(())
    }
}

/// Where a list goes on: behind this change.
fn after(call: &Call) -> Result<(i64, u64), Answer> {
    let Some(token) = call.param("after") else { return Ok((i64::MIN, 0)) };
    let read = || token.strip_prefix('p')?.split_once('_').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    read().ok_or_else(|| refusal(422, "wrong_token", "after is no token of ours"))
}

fn since(call: &Call, name: &str) -> Result<i64, Answer> {
    call.param(name).map_or(Ok(i64::MIN), |text| parse_time(text).ok_or_else(|| wrong(name, "must be a time")))
}

/// By the time of the change, so that a contact that is changed meanwhile comes again and none is left out.
fn list(state: &State, call: &Call) -> Result<Answer, Answer> {
    let limit = call.number("limit").unwrap_or(50).clamp(1, 200);
    let (from, since) = (after(call)?, since(call, "updated_since")?);
    let start = from.max((since, 0));
    let stage = call.param("stage");
    let rows = state.contacts.changed(start..).filter(|row| row.gone.is_none() && (row.changed_at, row.id) > from);
    let rows: Vec<_> =
        rows.filter(|row| stage.is_none_or(|stage| row.get("stage").and_then(Value::as_str) == Some(stage))).take(limit + 1).collect();
    let next = (rows.len() > limit).then(|| rows[limit - 1]).map(|row| format!("p{}_{}", row.changed_at, row.id));
    let items: Vec<_> = rows.iter().take(limit).map(|row| shown(row)).collect();
    Ok(Answer::json(200, &json!({"items": items, "next": next, "count": state.contacts.count()})))
}

fn removed(state: &State, call: &Call) -> Result<Answer, Answer> {
    let since = since(call, "since")?;
    let gone = state.contacts.changed((since, 0)..).filter_map(|row| Some((row, row.gone?)));
    let items: Vec<_> = gone
        .map(|(row, gone)| {
            let into = if let How::Merged(into) = gone.how { Some(id(into)) } else { None };
            json!({"id": id(row.id), "at": rfc3339(gone.at), "mergedInto": into})
        })
        .collect();
    Ok(Answer::json(200, &json!({"items": items})))
}

/// By parts of words, through an index that may be behind.
fn lookup(state: &State, call: &Call, now: i64) -> Answer {
    let (field, value) = (call.param("field").unwrap_or_default(), call.param("value").unwrap_or_default().to_lowercase());
    let has = |row: &&Row<Value>| {
        let seen = row.searched(now).and_then(|(fields, _)| fields.get(field)).and_then(Value::as_str);
        seen.is_some_and(|text| text.to_lowercase().contains(&value))
    };
    let items: Vec<_> = state.contacts.iter().filter(has).take(20).map(shown).collect();
    Answer::json(200, &json!({"items": items}))
}

fn fields() -> Answer {
    let own = FIELDS.iter().map(|(name, kind, required)| {
        let choices: &[&str] = if *kind == "choice" { STAGES } else { &[] };
        json!({"name": name, "title": name, "type": kind, "required": required, "choices": choices, "system": false})
    });
    let system = ["id", "createdAt", "updatedAt"]
        .map(|name| json!({"name": name, "title": name, "type": if name == "id" { "text" } else { "datetime" }, "required": false, "choices": [], "system": true}));
    Answer::json(200, &json!({"items": own.chain(system).collect::<Vec<_>>()}))
}
