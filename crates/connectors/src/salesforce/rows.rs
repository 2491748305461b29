//! Rows as Salesforce shows them, and records as we have them.

use serde_json::{Map, Value};

use super::tokens::Place;
use super::{ids, times};
use crate::RemoteRecord;

/// What every query selects beside what was asked for.
pub(super) const SYSTEM: [&str; 2] = ["Id", "SystemModstamp"];

/// The names to select: what is wanted and what the connector needs, each once.
pub(super) fn selected(fields: &[String], system: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(fields.len() + system.len());
    for name in system.iter().copied().chain(fields.iter().map(String::as_str)) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// A row as a record with these fields, under the names by which they were asked for. `None`: it has no id.
pub(super) fn record(row: Value, fields: &[String]) -> Option<RemoteRecord> {
    let Value::Object(mut row) = row else { return None };
    let id = ids::full(row.get("Id")?.as_str()?)?;
    let modified_at = row.get("SystemModstamp").and_then(Value::as_str).and_then(times::parse);
    let deleted = row.get("IsDeleted") == Some(&Value::Bool(true));
    let merged_into = row.get("MasterRecordId").and_then(Value::as_str).and_then(ids::full);
    let mut found = Map::with_capacity(fields.len());
    for name in fields {
        found.insert(name.clone(), taken(&mut row, name).unwrap_or_default());
    }
    Some(RemoteRecord { id, fields: found, modified_at, deleted, merged_into })
}

/// A field's value; what is reached over a relation stands in an object of its own.
fn taken(row: &mut Map<String, Value>, path: &str) -> Option<Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = match row.get_mut(first) {
        Some(value) => value,
        // Salesforce answers with its own spelling of a name.
        None => row.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(first))?.1,
    };
    match (rest, value) {
        // Not taken out: two paths may go over one relation, and one field be asked for in two spellings.
        (Some(rest), Value::Object(inner)) => taken(inner, rest),
        (Some(_), _) => None,
        (None, value) => Some(value.clone()),
    }
}

/// A record's place in the order of a scan.
pub(super) fn place(record: &RemoteRecord) -> Option<Place> {
    Some(Place { at: record.modified_at?, id: record.id.clone() })
}

/// A record of which nothing is known but its id.
pub(super) fn bare(id: String) -> RemoteRecord {
    RemoteRecord { id, fields: Map::new(), modified_at: None, deleted: false, merged_into: None }
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_becomes_a_record() {
        let row = json!({"attributes": {"type": "Contact"}, "Id": "0035g0000000001", "SystemModstamp": "2027-01-15T08:00:00.000+0000",
            "LastName": "L", "Email": null, "Account": {"attributes": {}, "Name": "Acme", "Owner": {"Name": "Ada"}}, "Parent": null,
            "MasterRecordId": "0035g0000000002", "IsDeleted": true});
        let fields = ["lastname", "Email", "Account.Name", "Account.Owner.Name", "Parent.Name", "Id", "Nope"].map(str::to_owned);
        let record = record(row, &fields).unwrap();
        assert_eq!(record.id, ids::full("0035g0000000001").unwrap());
        assert_eq!(record.merged_into, ids::full("0035g0000000002"));
        assert!(record.deleted);
        let expected = json!({"lastname": "L", "Email": null, "Account.Name": "Acme", "Account.Owner.Name": "Ada", "Parent.Name": null,
            "Id": "0035g0000000001", "Nope": null});
        assert_eq!(Value::Object(record.fields), expected);
        assert_eq!(record.modified_at, Some(Timestamp::from_millis(1_800_000_000_000)));
    }

    #[test]
    fn every_name_is_selected_once() {
        let fields = ["LastName", "id", "lastname"].map(str::to_owned);
        assert_eq!(selected(&fields, &SYSTEM), ["Id", "SystemModstamp", "LastName"]);
    }
}
