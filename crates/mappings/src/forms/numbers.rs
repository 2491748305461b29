//! Numbers as vendors write them, without the errors of binary fractions.

use serde_json::{Number, Value};

/// Most digits of a decimal number: more have no meaning in JSON.
const MAX_DIGITS: usize = 40;

/// A value as a decimal number in plain notation: `12.50`, `-3`. `None`: it is none.
pub(crate) fn decimal(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    if is_plain(&text) { Some(text) } else { expand(&text) }
}

fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= MAX_DIGITS && all_digits(whole) && all_digits(fraction)
}

/// `1.5e3` as `1500`, `+7` as `7`.
fn expand(text: &str) -> Option<String> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if is_plain(text) {
        return Some(text.to_owned());
    }
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.unsigned_abs() <= 30)?;
    if !is_plain(mantissa) {
        return None;
    }
    Some(shift(mantissa, exponent))
}

/// A plain decimal number times ten to the power of `places`, in canonical form: no needless zeros.
pub(crate) fn shift(text: &str, places: i32) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all: String = format!("{whole}{fraction}");
    let mut point = i32::try_from(whole.len()).unwrap_or(0) + places;
    while point < 1 {
        all.insert(0, '0');
        point += 1;
    }
    let point = usize::try_from(point).unwrap_or(0);
    while all.len() < point {
        all.push('0');
    }
    let (whole, fraction) = all.split_at(point);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let number = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
    if number == "0" { number } else { format!("{sign}{number}") }
}

/// A plain decimal number as JSON: whole where it is. `None`: JSON cannot say it exactly enough.
pub(crate) fn number(text: &str) -> Option<Number> {
    let canonical = shift(text, 0);
    if !canonical.contains('.')
        && let Ok(whole) = canonical.parse::<i64>()
    {
        return Some(whole.into());
    }
    canonical.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_as_vendors_write_them() {
        for (value, plain) in [
            (json!("12.50"), "12.50"),
            (json!(" 7 "), "7"),
            (json!("+7"), "7"),
            (json!(1e21), "1000000000000000000000"),
            (json!("1.5e-3"), "0.0015"),
            (json!(-0.25), "-0.25"),
        ] {
            assert_eq!(decimal(&value).as_deref(), Some(plain), "{value}");
        }
        for value in [json!("12,50"), json!(""), json!("."), json!("1."), json!("NaN"), json!("0x10"), json!(true), json!("1e999")] {
            assert_eq!(decimal(&value), None, "{value}");
        }
    }

    #[test]
    fn shifting_is_exact() {
        assert_eq!(shift("12.34", 2), "1234");
        assert_eq!(shift("0.1", 2), "10");
        assert_eq!(shift("1234", -2), "12.34");
        assert_eq!(shift("-5", -3), "-0.005");
        assert_eq!(shift("000.100", 0), "0.1");
        assert_eq!(shift("-0.0", 0), "0");
    }

    proptest! {
        #[test]
        fn shifting_there_and_back_changes_nothing(whole in -1_000_000_000_i64..1_000_000_000, places in 0_i32..6) {
            let text = whole.to_string();
            prop_assert_eq!(shift(&shift(&text, -places), places), text);
        }

        #[test]
        fn any_text_ends_in_a_number_or_nothing(text in ".{0,60}") {
            if let Some(plain) = decimal(&Value::String(text)) {
                prop_assert!(number(&plain).is_some());
            }
        }
    }
}
