//! What became of an item, by its result.

use serde_json::Value;

use super::parts::Act;
use crate::salesforce::dialect::Said;
use crate::salesforce::{ids, rows};
use crate::{Fault, Outcome, Write, WriteAct};

/// What a result of a collection says: `{"id", "success", "created"?, "errors": [{"statusCode", "message", "fields"}]}`.
pub(in crate::salesforce) fn of(act: &Act, write: &Write, result: &Value) -> Outcome {
    if result["success"] == true {
        return done(act, write, result["id"].as_str(), result["created"].as_bool());
    }
    match Said::of(&result["errors"]) {
        Some(said) => refused(act, said, &result["errors"][0]["duplicateResult"]),
        None => Outcome::Unknown(Fault::Lost { message: "the answer had no result for this item".to_owned() }),
    }
}

/// It was done.
pub(in crate::salesforce) fn done(act: &Act, write: &Write, id: Option<&str>, created: Option<bool>) -> Outcome {
    let own = match &write.act {
        WriteAct::Update { id } | WriteAct::Delete { id } => ids::full(id),
        WriteAct::Create { .. } => None,
    };
    let Some(id) = id.and_then(ids::full).or(own) else {
        return Outcome::Unknown(Fault::Lost { message: "it was written, and the answer does not say as what".to_owned() });
    };
    match act {
        Act::Delete => Outcome::Deleted,
        Act::Update => Outcome::Updated(rows::bare(id)),
        Act::Upsert(_) if created == Some(false) => Outcome::Updated(rows::bare(id)),
        Act::Insert | Act::Upsert(_) => Outcome::Created(rows::bare(id)),
    }
}

/// It was not done.
pub(in crate::salesforce) fn refused(act: &Act, said: Said, duplicates: &Value) -> Outcome {
    let is_new = matches!(act, Act::Insert | Act::Upsert(_));
    match said.code.as_str() {
        // It may be another item's lock: worth another try.
        "UNABLE_TO_LOCK_ROW" => Outcome::Failed(Fault::RateLimited { after: None }),
        "DUPLICATE_VALUE" if is_new => Outcome::Exists { id: ids::mentioned(&said.message) },
        "DUPLICATES_DETECTED" => Outcome::Failed(alike(said, duplicates)),
        "ENTITY_IS_DELETED" | "NOT_FOUND" | "MALFORMED_ID" | "INVALID_CROSS_REFERENCE_KEY" if !is_new && said.fields.is_empty() => {
            if *act == Act::Delete { Outcome::Deleted } else { Outcome::Gone { merged_into: None } }
        }
        code if code.starts_with("INSUFFICIENT_ACCESS") => {
            Outcome::Failed(Fault::Forbidden { message: format!("{}: {}", said.code, said.message) })
        }
        "SERVER_UNAVAILABLE" | "QUERY_TIMEOUT" => Outcome::Failed(Fault::Unavailable { message: said.message }),
        _ => Outcome::Failed(said.refused()),
    }
}

/// A duplicate rule of the org stopped it. Such rules compare loosely (names that sound alike), so that this is no sign that it is the same
/// record: a person decides.
fn alike(said: Said, duplicates: &Value) -> Fault {
    let matched = duplicates["matchResults"].as_array().into_iter().flatten();
    let records = matched.flat_map(|result| result["matchRecords"].as_array().into_iter().flatten());
    let mut found: Vec<_> =
        records.filter_map(|record| ids::full(record["record"]["Id"].as_str().or(record["record"]["id"].as_str())?)).collect();
    found.sort();
    found.dedup();
    let like = if found.is_empty() { String::new() } else { format!(" It is like {}.", found[..found.len().min(5)].join(", ")) };
    let message = format!(
        "A duplicate rule of the organisation stopped it: {}.{like} Merge or change one of them, or set `allowDuplicates`.",
        said.message.trim_end_matches('.')
    );
    Fault::Refused { code: said.code, message, field: said.fields.into_iter().next() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn outcome(act: &Act, code: &str, message: &str, fields: &[&str]) -> Outcome {
        let id = "00Q5g0000000001EAA".to_owned();
        let write = match act {
            Act::Insert | Act::Upsert(_) => WriteAct::Create { unique: None },
            Act::Update => WriteAct::Update { id },
            Act::Delete => WriteAct::Delete { id },
        };
        let result = json!({"success": false, "errors": [{"statusCode": code, "message": message, "fields": fields}]});
        of(act, &Write { act: write, fields: Map::new() }, &result)
    }

    #[test]
    fn refusals_say_what_became_of_the_item() {
        let there = "duplicate value found: External_Id__c duplicates value on record with id: 00Q5g0000000007";
        assert_eq!(outcome(&Act::Insert, "DUPLICATE_VALUE", there, &[]), Outcome::Exists { id: ids::full("00Q5g0000000007") });
        assert!(matches!(outcome(&Act::Update, "DUPLICATE_VALUE", there, &[]), Outcome::Failed(Fault::Refused { .. })));
        for code in ["ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"] {
            assert_eq!(outcome(&Act::Update, code, "gone", &[]), Outcome::Gone { merged_into: None }, "{code}");
            assert_eq!(outcome(&Act::Delete, code, "gone", &[]), Outcome::Deleted, "{code}");
        }
        let reference = outcome(&Act::Update, "INVALID_CROSS_REFERENCE_KEY", "no such account", &["AccountId"]);
        assert!(matches!(reference, Outcome::Failed(Fault::Refused { field: Some(field), .. }) if field == "AccountId"));
        assert_eq!(outcome(&Act::Update, "UNABLE_TO_LOCK_ROW", "x", &[]), Outcome::Failed(Fault::RateLimited { after: None }));
        let closed = outcome(&Act::Update, "INSUFFICIENT_ACCESS_OR_READONLY", "no", &[]);
        assert_eq!(closed, Outcome::Failed(Fault::Forbidden { message: "INSUFFICIENT_ACCESS_OR_READONLY: no".into() }));
        assert!(matches!(
            of(&Act::Insert, &Write { act: WriteAct::Create { unique: None }, fields: Map::new() }, &Value::Null),
            Outcome::Unknown(_)
        ));
    }

    #[test]
    fn a_rule_against_duplicates_names_whom_it_means_and_decides_nothing() {
        let result = json!({"success": false, "errors": [{"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
            "fields": [], "duplicateResult": {"matchResults": [{"matchRecords": [{"matchConfidence": 100.0, "record":
                {"attributes": {"type": "Lead"}, "Id": "00Q5g0000000007"}}]}]}}]});
        let write = Write { act: WriteAct::Create { unique: None }, fields: Map::new() };
        let Outcome::Failed(Fault::Refused { code, message, .. }) = of(&Act::Insert, &write, &result) else { panic!() };
        assert_eq!(code, "DUPLICATES_DETECTED");
        assert!(message.contains("00Q5g0000000007") && message.contains("allowDuplicates"), "{message}");
    }
}
