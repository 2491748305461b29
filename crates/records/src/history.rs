//! Members of singletons whose values are kept by period: the last one of each is a record of another type, written in the transaction of the
//! change. The singleton's row is locked by whoever changes it, so two changes make one record.

use blueprint::model::{Bucket, History};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use kernel::{Error, Result, Timestamp};
use serde_json::{Map, Value};
use store::Tx;

use crate::records::{change, insert_record, locked_by_unique};
use crate::resource_type::ResourceType;
use crate::{Task, document};

/// Keeps what a change has changed. `before`: none of a new record.
pub(crate) fn keep(tx: &mut Tx<'_>, task: &Task, before: Option<&Map<String, Value>>, after: &Map<String, Value>) -> Result<()> {
    let kind = std::sync::Arc::clone(&task.resource_type);
    for history in &kind.resource().history {
        let old = before.and_then(|before| before.get(&history.field)).filter(|value| !value.is_null());
        let Some(new) = after.get(&history.field).filter(|value| value.is_number()) else { continue };
        if old != Some(new) {
            one(tx, task, history, old, new)?;
        }
    }
    Ok(())
}

fn one(tx: &mut Tx<'_>, task: &Task, history: &History, old: Option<&Value>, new: &Value) -> Result<()> {
    let Some(kept) = task.around.kinds.get(&history.resource) else { return Ok(()) };
    let below = Task { resource_type: std::sync::Arc::clone(kept), expected: crate::Expected::Anything, ..task.clone() }.unbarred();
    let (from, to) = period(history.bucket, tx.now())?;
    let value = fitting(kept, &history.value, new);
    if let Some(record) = locked_by_unique(tx, &below, &history.from, &Value::from(from.as_str()))? {
        let mut document = record.document.clone();
        document.insert(history.value.clone(), value);
        return change(tx, &below, record, document).map(drop);
    }
    let mut members =
        Map::from_iter([(history.from.clone(), from.into()), (history.to.clone(), to.into()), (history.value.clone(), value)]);
    if let (Some(member), Some(old)) = (&history.previous, old) {
        members.insert(member.clone(), fitting(kept, member, old));
    }
    let made = insert_record(tx, &below, document::complete(kept, members))?;
    made.map(drop).ok_or_else(|| Error::internal("a record without an external id has one that is taken"))
}

/// A number as a member wants it: whole where its type says so, rounded half away from zero.
fn fitting(kind: &ResourceType, member: &str, number: &Value) -> Value {
    let types = kind.value_types(member);
    let whole = types.iter().any(|one| one == "integer") && !types.iter().any(|one| one == "number");
    #[allow(clippy::cast_possible_truncation, reason = "what does not fit an integer does not fit the schema either, which says so")]
    match number.as_f64() {
        Some(real) if whole && number.as_i64().is_none() => Value::from(real.round() as i64),
        _ => number.clone(),
    }
}

/// The first and the last day of the period of a moment, in UTC.
fn period(bucket: Bucket, now: Timestamp) -> Result<(String, String)> {
    let day = jiff::Timestamp::from_millisecond(now.millis()).map_err(Error::internal)?.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (from, next) = bounds(bucket, day).map_err(Error::internal)?;
    let last = next.yesterday().map_err(Error::internal)?;
    Ok((from.to_string(), last.to_string()))
}

/// The first day of a day's period, and of the one after it.
fn bounds(bucket: Bucket, day: Date) -> std::result::Result<(Date, Date), jiff::Error> {
    let month = |month: i8| Date::new(day.year(), month, 1);
    Ok(match bucket {
        Bucket::Hour | Bucket::Day => (day, day.tomorrow()?),
        Bucket::Week => {
            let monday = day.checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days())?;
            (monday, monday.checked_add(7.days())?)
        }
        Bucket::Month => (month(day.month())?, month(day.month())?.checked_add(1.month())?),
        Bucket::Quarter => {
            let first = month((day.month() - 1) / 3 * 3 + 1)?;
            (first, first.checked_add(3.months())?)
        }
        Bucket::Year => (month(1)?, month(1)?.checked_add(1.year())?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_in_one_period_of_each_length() {
        let now = Timestamp::parse("2028-02-29T23:59:59.999Z").unwrap();
        for (bucket, from, to) in [
            (Bucket::Day, "2028-02-29", "2028-02-29"),
            (Bucket::Week, "2028-02-28", "2028-03-05"),
            (Bucket::Month, "2028-02-01", "2028-02-29"),
            (Bucket::Quarter, "2028-01-01", "2028-03-31"),
            (Bucket::Year, "2028-01-01", "2028-12-31"),
        ] {
            assert_eq!(period(bucket, now).unwrap(), (from.to_owned(), to.to_owned()), "{bucket:?}");
        }
        assert_eq!(period(Bucket::Quarter, Timestamp::parse("2026-12-31T00:00:00Z").unwrap()).unwrap().0, "2026-10-01");
    }
}
