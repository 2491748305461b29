//! Amounts of money in whole units (`12.34`) and in the currency's smallest ones (`1234`), exactly.

use serde_json::Value;

use crate::forms::{decimal, number, shift};

/// Currencies with other than two digits after the point (ISO 4217).
const DIGITS: [(&str, i32); 26] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// How many digits after the point a currency has. `None`: three capital letters were expected.
pub(super) fn digits(currency: &str) -> Option<i32> {
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then(|| DIGITS.iter().find(|(code, _)| *code == currency).map_or(2, |(_, digits)| *digits))
}

pub(super) fn minor(value: &Value, digits: i32) -> Result<Value, String> {
    let Some(amount) = read(value)? else { return Ok(Value::Null) };
    let minor = shift(&amount, digits);
    if minor.contains('.') {
        return Err(format!("an amount with at most {digits} digits after the point was expected"));
    }
    say(&minor)
}

pub(super) fn major(value: &Value, digits: i32) -> Result<Value, String> {
    let Some(amount) = read(value)? else { return Ok(Value::Null) };
    say(&shift(&amount, -digits))
}

fn read(value: &Value) -> Result<Option<String>, String> {
    if value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    decimal(value).map(Some).ok_or_else(|| "an amount was expected".to_owned())
}

fn say(amount: &str) -> Result<Value, String> {
    number(amount).map(Value::Number).ok_or_else(|| "an amount that JSON can say was expected".to_owned())
}
