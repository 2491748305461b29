//! Exact numbers: figures are computed with whole numbers of a fixed scale, and rounded once, when they are shown.

use serde_json::{Number, Value};

/// Decimal places that are kept of a member that may have a fraction. Further ones are rounded away, half away from zero.
pub(crate) const SCALE: u32 = 6;

/// A number with `scale` decimal places, as a whole number. None: it is too large.
pub(crate) fn scaled(number: &Number, scale: u32) -> Option<i64> {
    let unit = 10_i128.pow(scale);
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    if let Some(whole) = whole {
        return i64::try_from(whole * unit).ok();
    }
    // The shortest digits that name the double are those that were sent, up to 15 of them. Rust writes no exponent here.
    let text = format!("{}", number.as_f64().filter(|real| real.abs() < 1e19)?);
    let (negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = scale as usize;
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(places).collect();
    let mut value: i128 = format!("{whole}{kept}").parse().ok()?;
    value += i128::from(fraction.as_bytes().get(places).is_some_and(|digit| *digit >= b'5'));
    i64::try_from(if negative { -value } else { value }).ok()
}

/// `numerator / denominator`, exactly; the denominator is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    pub(crate) numerator: i128,
    pub(crate) denominator: i128,
}

impl Fraction {
    pub(crate) fn whole(value: i64) -> Self {
        Self { numerator: value.into(), denominator: 1 }
    }

    /// One by the other. None: division by zero, or numbers of more than 38 digits.
    pub(crate) fn by(self, other: Self) -> Option<Self> {
        let numerator = self.numerator.checked_mul(other.denominator)?;
        let denominator = self.denominator.checked_mul(other.numerator)?;
        match denominator {
            0 => None,
            1.. => Some(Self { numerator, denominator }),
            _ => Some(Self { numerator: numerator.checked_neg()?, denominator: denominator.checked_neg()? }),
        }
    }

    /// As a JSON number with at most `decimals` places, rounded half away from zero.
    pub(crate) fn show(self, decimals: u8) -> Value {
        let unit = 10_i128.pow(decimals.into());
        let Some(rounded) = self.numerator.checked_mul(unit).map(|numerator| divide(numerator, self.denominator)) else {
            return Value::Null;
        };
        let (whole, rest) = (rounded / unit, (rounded % unit).unsigned_abs());
        if rest == 0
            && let Ok(whole) = i64::try_from(whole)
        {
            return whole.into();
        }
        let sign = if rounded < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{rest:0places$}", whole.unsigned_abs(), places = usize::from(decimals));
        text.parse::<f64>().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
    }
}

/// Rounded half away from zero; `by` is positive.
fn divide(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value / by, value % by);
    // Half or more of the divisor, without doubling what may be large.
    if rest.abs() >= by - rest.abs() { quotient + value.signum() } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn decimals_are_what_was_written() {
        for (text, value) in [
            ("842.50", 842_500_000),
            ("0.1", 100_000),
            ("-0.1", -100_000),
            ("3", 3_000_000),
            ("1e3", 1_000_000_000),
            ("0.0000005", 1),
            ("0.00000049", 0),
            ("-0.0000005", -1),
            ("9223372036854.775807", 9_223_372_036_854_775_807),
        ] {
            // Sixteen digits and more are a double's nearest.
            let near = if text.len() > 17 { 1000 } else { 0 };
            assert!((scaled(&number(text), SCALE).unwrap_or(i64::MAX) - value).abs() <= near, "{text}");
        }
        for text in ["1e30", "-1e30", "9223372036855"] {
            assert_eq!(scaled(&number(text), SCALE), None, "{text}");
        }
        assert_eq!(scaled(&number("9223372036854775807"), 0), Some(i64::MAX));
        assert_eq!(scaled(&number("18446744073709551615"), 0), None);
        assert_eq!(scaled(&number("5.0"), 0), Some(5));
    }

    #[test]
    fn a_tenth_added_ten_times_is_one() {
        let sum: i64 = (0..10).map(|_| scaled(&number("0.1"), SCALE).unwrap()).sum();
        assert_eq!(Fraction { numerator: sum.into(), denominator: 1_000_000 }.show(6), json!(1));
    }

    #[test]
    fn shown_numbers_are_rounded_half_away_from_zero() {
        let shown = |numerator, denominator, decimals| Fraction { numerator, denominator }.show(decimals);
        assert_eq!(shown(1, 3, 2), json!(0.33));
        assert_eq!(shown(2, 3, 2), json!(0.67));
        assert_eq!(shown(1, 8, 2), json!(0.13));
        assert_eq!(shown(-1, 8, 2), json!(-0.13));
        assert_eq!(shown(5, 2, 0), json!(3));
        assert_eq!(shown(-1, 1000, 2), json!(0));
        assert_eq!(shown(6, 3, 2), json!(2));
        assert_eq!(shown(i128::MAX, 1, 6), Value::Null);
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(Fraction::whole(1).by(Fraction::whole(0)), None);
        assert_eq!(Fraction::whole(1).by(Fraction::whole(-2)).unwrap().show(2), json!(-0.5));
    }

    proptest! {
        #[test]
        fn cents_are_kept(cents in -1_000_000_000_000_i64..1_000_000_000_000) {
            let text = format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
            prop_assert_eq!(scaled(&number(&text), SCALE), Some(cents * 10_000));
        }

        #[test]
        fn no_number_panics(real in any::<f64>(), scale in 0..=SCALE) {
            if let Some(number) = Number::from_f64(real) {
                scaled(&number, scale);
            }
        }
    }
}
