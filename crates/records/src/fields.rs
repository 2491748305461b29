//! The index tables: the members that lists are filtered and sorted by, and the holders of unique values.
//!
//! A value is kept in a form whose order as text is the order of the values: a letter for the type, then false before true, numbers by an
//! order-preserving spelling of their bits, text as it is (long ones cut, with a hash of the whole). Absent and null come first.

use kernel::{Error, RecordId, Result, TenantId};
use serde_json::{Map, Value};
use store::Tx;

use crate::document::pointer;
use crate::metrics::points;
use crate::query::Operand;
use crate::records::Record;
use crate::resource_type::ResourceType;

/// Longest text that is kept whole, in bytes: index entries of PostgreSQL are bounded, and a cursor carries one.
const WHOLE: usize = 160;
/// Where a longer one is cut.
const CUT: usize = 96;
/// What stands for an absent value of a member that lists are sorted by.
const ABSENT: &str = "";

/// The form of a single value by which records are found; none for null, lists and objects. Equal values have one form, others another.
pub fn canonical(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(format!("b{}", u8::from(*value))),
        Value::Number(number) => Some(number_form(number)),
        Value::String(text) => Some(text_form(text)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number_form(number: &serde_json::Number) -> String {
    let real = number.as_f64().unwrap_or(0.0) + 0.0;
    let bits = real.to_bits();
    // Positive: set the sign bit; negative: invert all. Then the bits sort as the numbers do. (Adding 0.0 made one zero of two.)
    let sortable = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    // Integers beyond 2^53 share a double with their neighbours; their digits tell them apart.
    let exact = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64()).is_none_or(|n| n <= 1 << 53);
    if exact { format!("n{sortable:016x}") } else { format!("n{sortable:016x}:{number}") }
}

fn text_form(text: &str) -> String {
    if text.len() <= WHOLE {
        return format!("s{text}");
    }
    let cut = (0..=CUT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("s{}…{}", &text[..cut], &blake3::hash(text.as_bytes()).to_hex()[..32])
}

/// The forms that an operand may stand for: of a text from a query string, as the member's types say.
pub(crate) fn forms(kind: &ResourceType, member: &str, operand: &Operand) -> Vec<String> {
    match operand {
        Operand::Text(text) => candidates(kind, member, text),
        Operand::Json(value) => canonical(value).into_iter().collect(),
    }
}

/// The forms that a text may stand for, given the member's types.
pub(crate) fn candidates(kind: &ResourceType, member: &str, text: &str) -> Vec<String> {
    let types = kind.types_of(member);
    let may = |name: &str| types.is_empty() || types.contains(&name);
    let mut out = Vec::new();
    if may("string") {
        out.push(text_form(text));
    }
    if may("number") || may("integer") {
        out.extend(text.parse::<serde_json::Number>().ok().map(|number| number_form(&number)));
    }
    if may("boolean") {
        out.extend(text.parse::<bool>().ok().map(|value| format!("b{}", u8::from(value))));
    }
    out
}

/// The row of a member in `record_fields`; sorted members always have one, so that a sorted list holds every record.
fn row_value(document: &Map<String, Value>, member: &str, sorted: bool) -> Option<String> {
    document.get(member).and_then(canonical).or_else(|| sorted.then(|| ABSENT.to_owned()))
}

const UPSERT: &str = "ON CONFLICT (record_id, field) DO UPDATE SET value = excluded.value";

/// Brings both tables from `before` (none: a new record) to `after`.
///
/// Error: 409 `not_unique`, when another record holds a unique value.
pub(crate) fn write(tx: &mut Tx<'_>, tenant: TenantId, kind: &ResourceType, before: Option<&Record>, after: &Record) -> Result<()> {
    let mut rows = Vec::new();
    for (member, sorted) in kind.indexed() {
        let old = before.and_then(|record| row_value(&record.document, member, *sorted));
        let new = row_value(&after.document, member, *sorted);
        match new {
            Some(value) if old.as_ref() != Some(&value) => {
                rows.extend([tenant.into(), kind.name().into(), member.into(), value.into(), after.id.into(), after.created_at.into()]);
            }
            None if old.is_some() => {
                let sql = "DELETE FROM record_fields WHERE tenant_id = ?1 AND record_id = ?2 AND field = ?3";
                tx.exec(sql, &[tenant.into(), after.id.into(), member.into()])?;
            }
            _ => {}
        }
    }
    let into = "INSERT INTO record_fields (tenant_id, resource, field, value, record_id, created_at) VALUES";
    tx.insert_rows(into, 6, &rows, UPSERT)?;
    points::write(tx, tenant, kind.measured(), before, after)?;
    uniques(tx, tenant, kind, before, after)
}

/// The record that holds a unique value.
pub(crate) fn holder(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, member: &str, value: &Value) -> Result<Option<RecordId>> {
    let Some(value) = canonical(value) else { return Ok(None) };
    let sql = "SELECT record_id FROM record_uniques WHERE tenant_id = ?1 AND resource = ?2 AND field = ?3 AND value = ?4";
    tx.query_opt(sql, &[tenant.into(), resource.into(), member.into(), value.into()], |row| row.get(0))
}

/// Values of one statement that looks many up.
const LOOKED_UP: usize = 64;

/// The records that hold these unique values: pairs of a value's form and a record.
pub(crate) fn holders(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    resource: &str,
    member: &str,
    forms: &[String],
) -> Result<Vec<(String, RecordId)>> {
    let head = "SELECT value, record_id FROM record_uniques WHERE tenant_id = ?1 AND resource = ?2 AND field = ?3 AND value IN";
    looked_up(tx, head, "", (tenant, resource, member), forms)
}

/// The records that have these values in a member that lists are filtered or sorted by, the oldest first.
pub(crate) fn having(tx: &mut Tx<'_>, tenant: TenantId, resource: &str, member: &str, forms: &[String]) -> Result<Vec<(String, RecordId)>> {
    let head = "SELECT value, record_id FROM record_fields WHERE tenant_id = ?1 AND resource = ?2 AND field = ?3 AND value IN";
    looked_up(tx, head, "ORDER BY created_at, record_id", (tenant, resource, member), forms)
}

fn looked_up(
    tx: &mut Tx<'_>,
    head: &str,
    tail: &str,
    (tenant, resource, member): (TenantId, &str, &str),
    forms: &[String],
) -> Result<Vec<(String, RecordId)>> {
    let places: Vec<String> = (4..4 + LOOKED_UP).map(|n| format!("?{n}")).collect();
    let sql = format!("{head} ({}) {tail}", places.join(", "));
    let mut out = Vec::new();
    for chunk in forms.chunks(LOOKED_UP) {
        // The last one again fills the list up: one statement for every length.
        let padding = std::iter::repeat_n(&chunk[chunk.len() - 1], LOOKED_UP - chunk.len());
        let wanted = chunk.iter().chain(padding).map(store::Value::from);
        let params: Vec<store::Value> = [tenant.into(), resource.into(), member.into()].into_iter().chain(wanted).collect();
        out.extend(tx.query(&sql, &params, |row| Ok((row.get(0)?, row.get(1)?)))?);
    }
    Ok(out)
}

/// Another record has this value.
pub(crate) fn not_unique(kind: &ResourceType, member: &str) -> Error {
    let detail = format!("Another {} has this {member}.", kind.name());
    Error::conflict("not_unique", detail).at(pointer(member), "must be unique")
}

/// The rows of new records, in both tables; nobody else holds their unique values.
pub(crate) fn write_many(tx: &mut Tx<'_>, tenant: TenantId, kind: &ResourceType, records: &[&Record]) -> Result<()> {
    let mut rows = Vec::with_capacity(records.len() * kind.indexed().len() * 6);
    let mut held = Vec::new();
    for record in records {
        for (member, sorted) in kind.indexed() {
            if let Some(value) = row_value(&record.document, member, *sorted) {
                rows.extend([tenant.into(), kind.name().into(), member.into(), value.into(), record.id.into(), record.created_at.into()]);
            }
        }
        for member in &kind.resource().unique {
            if let Some(value) = record.document.get(member).and_then(canonical) {
                held.extend([tenant.into(), kind.name().into(), member.into(), value.into(), record.id.into()]);
            }
        }
    }
    let into = "INSERT INTO record_fields (tenant_id, resource, field, value, record_id, created_at) VALUES";
    tx.insert_rows(into, 6, &rows, "")?;
    let into = "INSERT INTO record_uniques (tenant_id, resource, field, value, record_id) VALUES";
    tx.insert_rows(into, 5, &held, "").map(drop)
}

fn uniques(tx: &mut Tx<'_>, tenant: TenantId, kind: &ResourceType, before: Option<&Record>, after: &Record) -> Result<()> {
    for member in &kind.resource().unique {
        let old = before.and_then(|record| canonical(record.document.get(member)?));
        let new = after.document.get(member).and_then(canonical);
        if old == new {
            continue;
        }
        if let Some(old) = old {
            let sql = "DELETE FROM record_uniques WHERE tenant_id = ?1 AND resource = ?2 AND field = ?3 AND value = ?4 AND record_id = ?5";
            tx.exec(sql, &[tenant.into(), kind.name().into(), member.into(), old.into(), after.id.into()])?;
        }
        if let Some(new) = new {
            let sql = "INSERT INTO record_uniques (tenant_id, resource, field, value, record_id) VALUES (?1, ?2, ?3, ?4, ?5) \
                       ON CONFLICT (tenant_id, resource, field, value) DO NOTHING";
            if tx.exec(sql, &[tenant.into(), kind.name().into(), member.into(), new.into(), after.id.into()])? == 0 {
                return Err(not_unique(kind, member));
            }
        }
    }
    Ok(())
}

/// What finds a record: a few rows each, by the record. `tenant_id || ''` keeps planners away from the indexes that begin with the tenant.
const OF_RECORD: [&str; 3] = [
    "DELETE FROM record_fields WHERE tenant_id || '' = ?1 AND record_id = ?2",
    "DELETE FROM record_uniques WHERE tenant_id || '' = ?1 AND record_id = ?2",
    "DELETE FROM record_points WHERE tenant_id || '' = ?1 AND record_id = ?2",
];

/// Removes a record's rows.
pub(crate) fn remove(tx: &mut Tx<'_>, tenant: TenantId, record: RecordId) -> Result<()> {
    OF_RECORD.into_iter().try_for_each(|sql| tx.exec(sql, &[tenant.into(), record.into()]).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn equal_values_have_one_form_and_others_another() {
        assert_eq!(canonical(&json!(1)), canonical(&json!(1.0)));
        assert_eq!(canonical(&json!(0.0)), canonical(&json!(-0.0)));
        assert_ne!(canonical(&json!(1)), canonical(&json!("1")));
        assert_ne!(canonical(&json!(9_007_199_254_740_993_i64)), canonical(&json!(9_007_199_254_740_992_i64)));
        let long = "é".repeat(5000);
        assert_ne!(canonical(&json!(long)), canonical(&json!(format!("{long}x"))));
        assert!(canonical(&json!(long)).unwrap().len() <= WHOLE + 1);
        assert_eq!(canonical(&json!(null)), None);
    }

    proptest! {
        #[test]
        fn numbers_sort_as_numbers(a in -1e12..1e12_f64, b in -1e12..1e12_f64) {
            let form = |x: f64| canonical(&json!(x)).unwrap();
            prop_assert_eq!(a.partial_cmp(&b).unwrap(), form(a).cmp(&form(b)));
        }

        #[test]
        fn every_form_is_bounded(text in ".{0,600}") {
            prop_assert!(canonical(&json!(text)).unwrap().len() <= WHOLE + 1);
        }
    }
}
