//! From what a value is to what is asked for.

use jiff::Timestamp;
use serde_json::Value;

use super::Form;
use super::moments::{Moment, offset_form, rfc3339};
use super::numbers::{decimal, number};

/// What stands between the items of a list that is one text.
const SEPARATOR: char = ';';

/// `value` in the form `to`; `from` is what is known about it. Nothing stays nothing, and an empty text is nothing wherever no text is asked
/// for.
///
/// Errors: what was expected, for people.
pub(crate) fn convert(value: Value, from: Option<Form>, to: Form) -> Result<Value, String> {
    let is_text = matches!(to, Form::Any | Form::Text);
    if value.is_null() || (!is_text && value.as_str().is_some_and(|text| text.trim().is_empty())) {
        return Ok(Value::Null);
    }
    let seconds = from == Some(Form::DatetimeSeconds);
    match to {
        Form::Any => Ok(value),
        Form::Text => text(value),
        Form::Number => as_number(&value).map(Value::Number),
        Form::NumberText => decimal(&value).map(Value::String).ok_or_else(|| expected("a number")),
        Form::Integer => as_number(&value)?.as_i64().map(Value::from).ok_or_else(|| expected("a whole number")),
        Form::Boolean => boolean(&value).map(Value::Bool).ok_or_else(|| expected("true or false")),
        Form::BooleanText => boolean(&value).map(|found| Value::String(found.to_string())).ok_or_else(|| expected("true or false")),
        Form::Date => moment(&value, seconds).map(|found| Value::String(found.day().to_string())),
        Form::DateMs => {
            let day = moment(&value, seconds)?.day();
            at(Moment::Day(day)).map(|at| at.as_millisecond().into())
        }
        Form::Datetime => at(moment(&value, seconds)?).map(|at| rfc3339(at).into()),
        Form::DatetimeOffset => {
            let at = at(moment(&value, seconds)?)?;
            offset_form(at).map(Value::String).ok_or_else(|| expected("a date and time"))
        }
        Form::DatetimeMs => at(moment(&value, seconds)?).map(|at| at.as_millisecond().into()),
        Form::DatetimeSeconds => at(moment(&value, seconds)?).map(|at| at.as_second().into()),
        Form::List => Ok(list(value)),
        Form::ListText => list_text(value),
    }
}

fn expected(what: &str) -> String {
    format!("{what} was expected")
}

fn text(value: Value) -> Result<Value, String> {
    match value {
        Value::String(_) => Ok(value),
        Value::Number(_) | Value::Bool(_) => Ok(Value::String(value.to_string())),
        _ => Err(expected("a text")),
    }
}

fn as_number(value: &Value) -> Result<serde_json::Number, String> {
    if let Value::Number(found) = value {
        // 3.0 is 3: one number, one form.
        return decimal(value).and_then(|plain| number(&plain)).or_else(|| Some(found.clone())).ok_or_else(|| expected("a number"));
    }
    decimal(value).and_then(|plain| number(&plain)).ok_or_else(|| expected("a number"))
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(found) => Some(*found),
        Value::Number(found) => match found.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(found) => match found.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn moment(value: &Value, seconds: bool) -> Result<Moment, String> {
    Moment::read(value, seconds).ok_or_else(|| expected("a date, a date and time (RFC 3339) or milliseconds since 1970"))
}

fn at(moment: Moment) -> Result<Timestamp, String> {
    moment.at().ok_or_else(|| expected("a date and time within the calendar"))
}

fn list(value: Value) -> Value {
    match value {
        Value::Array(_) => value,
        Value::String(text) => {
            let items = text.split(SEPARATOR).map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(Value::from).collect())
        }
        other => Value::Array(vec![other]),
    }
}

fn list_text(value: Value) -> Result<Value, String> {
    let Value::Array(items) = value else { return text(value) };
    let mut joined = String::new();
    for item in items {
        let Value::String(item) = text(item)? else { return Err(expected("a list of texts")) };
        if item.trim().is_empty() {
            continue;
        }
        if item.contains(SEPARATOR) {
            return Err(format!("a list whose items have no {SEPARATOR} was expected"));
        }
        if !joined.is_empty() {
            joined.push(SEPARATOR);
        }
        joined.push_str(&item);
    }
    Ok(if joined.is_empty() { Value::Null } else { Value::String(joined) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ALL: [Form; 15] = [
        Form::Any,
        Form::Text,
        Form::Number,
        Form::NumberText,
        Form::Integer,
        Form::Boolean,
        Form::BooleanText,
        Form::Date,
        Form::DateMs,
        Form::Datetime,
        Form::DatetimeOffset,
        Form::DatetimeMs,
        Form::DatetimeSeconds,
        Form::List,
        Form::ListText,
    ];

    #[test]
    fn values_are_converted_between_the_forms_of_vendors() {
        for (value, to, expected) in [
            (json!("12.5"), Form::Number, json!(12.5)),
            (json!(3.0), Form::Number, json!(3)),
            (json!(12.5), Form::NumberText, json!("12.5")),
            (json!("3"), Form::Integer, json!(3)),
            (json!("true"), Form::Boolean, json!(true)),
            (json!(0), Form::Boolean, json!(false)),
            (json!(true), Form::BooleanText, json!("true")),
            (json!(7), Form::Text, json!("7")),
            (json!("2026-11-22T23:30:00-05:00"), Form::Date, json!("2026-11-23")),
            (json!("2026-11-22"), Form::DateMs, json!(1_795_305_600_000_i64)),
            (json!(1_795_305_600_000_i64), Form::Date, json!("2026-11-22")),
            (json!("2026-11-22T18:00:00.000+0000"), Form::Datetime, json!("2026-11-22T18:00:00.000Z")),
            (json!("2026-11-22T18:00:00Z"), Form::DatetimeOffset, json!("2026-11-22T18:00:00.000+0000")),
            (json!("a; b;;c"), Form::List, json!(["a", "b", "c"])),
            (json!(["a", "b"]), Form::ListText, json!("a;b")),
            (json!(""), Form::Number, Value::Null),
            (json!(""), Form::Text, json!("")),
        ] {
            assert_eq!(convert(value.clone(), None, to), Ok(expected), "{value} to {to:?}");
        }
        assert_eq!(convert(json!(1_795_305_600), Some(Form::DatetimeSeconds), Form::Date), Ok(json!("2026-11-22")));
    }

    #[test]
    fn what_cannot_be_converted_says_what_was_expected() {
        for (value, to) in [
            (json!("twelve"), Form::Number),
            (json!(1.5), Form::Integer),
            (json!("maybe"), Form::Boolean),
            (json!("22.11.2026"), Form::Date),
            (json!({}), Form::Text),
            (json!(["a;b"]), Form::ListText),
        ] {
            let fault = convert(value, None, to).unwrap_err();
            assert!(fault.ends_with("was expected"), "{fault}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e12..1e12).prop_map(|number: f64| json!(number)),
            ".{0,20}".prop_map(Value::from),
            "[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|[+-][01][0-9]:?00))?".prop_map(Value::from),
            "-?[0-9]{1,14}(\\.[0-9]{1,4})?".prop_map(Value::from),
        ];
        prop_oneof![3 => leaf.clone(), 1 => proptest::collection::vec(leaf, 0..4).prop_map(Value::Array)]
    }

    proptest! {
        #[test]
        fn what_was_converted_stays_what_it_is(value in values(), to in proptest::sample::select(&ALL[..])) {
            if let Ok(once) = convert(value, None, to) {
                prop_assert_eq!(convert(once.clone(), Some(to), to), Ok(once));
            }
        }

        #[test]
        fn moments_survive_every_form(ms in -60_000_000_000_000_i64..250_000_000_000_000, to in proptest::sample::select(&[Form::Datetime, Form::DatetimeOffset, Form::DatetimeMs][..])) {
            let there = convert(json!(ms), Some(Form::DatetimeMs), to).unwrap();
            prop_assert_eq!(convert(there, Some(to), Form::DatetimeMs), Ok(json!(ms)));
        }
    }
}
