//! Dates from one form to another: the forms of vendors by name, any other by a pattern of `strftime`.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

use crate::forms::{Form, Moment, convert};

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 100;

/// A form of a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// One that has a name: `date`, `datetime`, `datetime_ms` …
    Known(Form),
    /// `%d.%m.%Y`.
    Pattern(String),
}

impl DateForm {
    /// Errors: what was expected.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains('%') {
            let known = [Form::Date, Form::DateMs, Form::Datetime, Form::DatetimeOffset, Form::DatetimeMs, Form::DatetimeSeconds];
            return known.into_iter().find(|form| form.name() == text).map(Self::Known).ok_or_else(|| {
                format!(
                    "{text:?} is neither a pattern such as %d.%m.%Y nor one of date, date_ms, datetime, datetime_offset, datetime_ms, \
                     datetime_seconds"
                )
            });
        }
        // A pattern that can be written is not always one that can be read, and the other way round: both are tried when it is made.
        let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let written = strtime::format(text, &sample).ok().filter(|_| text.len() <= MAX_PATTERN);
        let read = written.and_then(|written| read_pattern(&written, text, &TimeZone::UTC));
        if read.is_some() { Ok(Self::Pattern(text.to_owned())) } else { Err(format!("{text:?} is no pattern of a date")) }
    }
}

pub(super) fn reformat(value: &Value, from: &DateForm, to: &DateForm, zone: &TimeZone) -> Result<Value, String> {
    if value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(Value::Null);
    }
    let zoned = read(value, from, zone)?;
    match to {
        DateForm::Pattern(pattern) => {
            strtime::format(pattern, &zoned).map(Value::String).map_err(|_| "a date within the calendar was expected".to_owned())
        }
        // A day is the day in the zone, not in UTC.
        DateForm::Known(form @ (Form::Date | Form::DateMs)) => convert(Value::String(zoned.date().to_string()), Some(Form::Date), *form),
        DateForm::Known(form) => convert(Value::String(zoned.timestamp().to_string()), Some(Form::Datetime), *form),
    }
}

fn read(value: &Value, from: &DateForm, zone: &TimeZone) -> Result<Zoned, String> {
    let expected = |what: &str| format!("a date in the form {what} was expected");
    match from {
        DateForm::Known(form) => {
            let moment = Moment::read(value, *form == Form::DatetimeSeconds).ok_or_else(|| expected(form.name()))?;
            let zoned = match moment {
                Moment::Day(day) => day.to_zoned(zone.clone()).ok(),
                Moment::At(at) if *form == Form::DateMs => at.to_zoned(TimeZone::UTC).date().to_zoned(zone.clone()).ok(),
                Moment::At(at) => Some(at.to_zoned(zone.clone())),
            };
            zoned.ok_or_else(|| expected(form.name()))
        }
        DateForm::Pattern(pattern) => {
            let text = match value {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                _ => return Err(expected(pattern)),
            };
            read_pattern(&text, pattern, zone).ok_or_else(|| expected(pattern))
        }
    }
}

fn read_pattern(text: &str, pattern: &str, zone: &TimeZone) -> Option<Zoned> {
    let parts = strtime::parse(pattern, text).ok()?;
    if parts.offset().is_some() || parts.timestamp().is_some() {
        return parts.to_timestamp().ok().map(|at| at.to_zoned(zone.clone()));
    }
    match parts.to_datetime() {
        Ok(civil) => civil.to_zoned(zone.clone()).ok(),
        Err(_) => parts.to_date().ok()?.to_zoned(zone.clone()).ok(),
    }
}
