//! From sums to the members of an answer.

use blueprint::model::{Aggregate, Figure};
use kernel::Result;
use serde_json::{Map, Value};

use super::decimal::Fraction;
use super::points::Measured;
use super::scan::Sum;

/// One figure's value. None: no record has one.
pub(crate) fn exact(measured: &Measured, figure: &Figure, sum: &Sum) -> Result<Option<Fraction>> {
    let scaled = |member: &str, numerator: i128, by: i64| -> Result<Fraction> {
        let (_, scale) = measured.number(member)?;
        Ok(Fraction { numerator, denominator: 10_i128.pow(scale) * i128::from(by) })
    };
    let none = sum.count == 0;
    Ok(match &figure.of {
        Aggregate::Count => Some(Fraction::whole(sum.count)),
        _ if none => None,
        Aggregate::Sum(member) => Some(scaled(member, sum.total, 1)?),
        Aggregate::Avg(member) => Some(scaled(member, sum.total, sum.count)?),
        Aggregate::Min(member) => sum.least.map(|least| scaled(member, least.into(), 1)).transpose()?,
        Aggregate::Max(member) => sum.most.map(|most| scaled(member, most.into(), 1)).transpose()?,
        Aggregate::Ratio(..) => None,
    })
}

/// A single figure as it is shown.
pub(crate) fn shown(figure: &Figure, value: Option<Fraction>) -> Value {
    value.map_or_else(|| figure.empty.clone(), |value| value.show(figure.decimals))
}

/// A figure that is grouped, as an object: the values of the schema's enum first, in its order, then those that were found.
pub(crate) fn grouped(measured: &Measured, figure: &Figure, groups: &[(String, Sum)]) -> Result<Value> {
    let Some(by) = &figure.by else { return Ok(Value::Null) };
    let mut out: Map<String, Value> = by.always.iter().map(|name| (name.clone(), figure.empty.clone())).collect();
    let others = if by.always.is_empty() { by.top as usize } else { usize::MAX };
    for (form, sum) in groups.iter().take(others) {
        if by.always.is_empty() && sum.count == 0 {
            continue;
        }
        out.insert(name_of(form), shown(figure, exact(measured, figure, sum)?));
    }
    Ok(Value::Object(out))
}

/// What a stored form (see `fields.rs`) is called.
fn name_of(form: &str) -> String {
    match form.split_at_checked(1) {
        Some(("s", text)) => text.to_owned(),
        Some(("b", flag)) => (flag == "1").to_string(),
        Some(("n", number)) => number_of(number).unwrap_or_else(|| number.to_owned()),
        _ => form.to_owned(),
    }
}

/// The inverse of the sortable spelling of numbers.
fn number_of(text: &str) -> Option<String> {
    if let Some((_, digits)) = text.split_once(':') {
        return Some(digits.to_owned());
    }
    let sortable = u64::from_str_radix(text, 16).ok()?;
    let bits = if sortable >> 63 == 1 { sortable & !(1 << 63) } else { !sortable };
    Some(f64::from_bits(bits).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::canonical;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn groups_have_the_names_of_their_values() {
        for (value, name) in
            [(json!("won"), "won"), (json!(true), "true"), (json!(false), "false"), (json!(3), "3"), (json!(-2.5), "-2.5"), (json!(0), "0")]
        {
            assert_eq!(name_of(&canonical(&value).unwrap()), name);
        }
        assert_eq!(name_of(&canonical(&json!(9_007_199_254_740_993_i64)).unwrap()), "9007199254740993");
    }

    proptest! {
        #[test]
        fn every_number_is_found_again(number in -1e15..1e15_f64) {
            let name = name_of(&canonical(&json!(number)).unwrap());
            prop_assert_eq!(name.parse::<f64>().unwrap(), number);
        }

        #[test]
        fn no_form_panics(form in ".{0,40}") {
            name_of(&form);
        }
    }
}
