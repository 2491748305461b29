//! Values as their types promise them (GraphQL §6.4.3, §6.4.4): what may not be null and is makes null what is around it.

use serde_json::{Map, Value};

use super::collect::Chosen;
use super::thing::{Placed, Way};
use super::{Failed, Run};
use crate::failure::Failure;
use crate::model::{Kind, Scalar, Ty};

/// What an executed object became, in the order in which they were put into the row.
type Done = std::vec::IntoIter<Result<Map<String, Value>, Failed>>;

impl Run<'_> {
    /// Puts executed objects where they belong.
    pub(super) fn complete(&self, ty: &Ty, placed: Placed, done: &mut Done, one: &Chosen<'_>, way: &Way) -> Result<Value, Failed> {
        match (ty, placed) {
            (_, Placed::Failed) => Err(Failed),
            (Ty::NonNull(_), Placed::Null) => Err(self.missing(one, way)),
            (_, Placed::Null) => Ok(Value::Null),
            (Ty::NonNull(inner), placed) => self.complete(inner, placed, done, one, way),
            (Ty::List(inner), Placed::Many(items)) => {
                // All are taken from the row, whatever becomes of the list.
                let each: Vec<_> = items
                    .into_iter()
                    .enumerate()
                    .map(|(n, item)| self.complete(inner, item, done, one, &way.index(n)).or_else(|failed| nullable(inner, failed)))
                    .collect();
                each.into_iter().collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            (Ty::Named(_), Placed::One) => done.next().unwrap_or(Err(Failed)).map(Value::Object),
            (Ty::List(_), Placed::One) | (Ty::Named(_), Placed::Many(_)) => Err(self.mismatch(one, way, ty)),
        }
    }

    /// A value of a scalar, an enumeration, or a list of them.
    pub(super) fn complete_leaf(&self, ty: &Ty, value: Option<&Value>, one: &Chosen<'_>, way: &Way) -> Result<Value, Failed> {
        let value = value.filter(|value| !value.is_null());
        match (ty, value) {
            (Ty::NonNull(_), None) => Err(self.missing(one, way)),
            (_, None) => Ok(Value::Null),
            (Ty::NonNull(inner), value) => self.complete_leaf(inner, value, one, way),
            (Ty::List(inner), Some(Value::Array(items))) => {
                let each = items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| self.complete_leaf(inner, Some(item), one, &way.index(n)).or_else(|failed| nullable(inner, failed)));
                each.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            (Ty::List(_), Some(_)) => Err(self.mismatch(one, way, ty)),
            (Ty::Named(name), Some(value)) => {
                let fitting = match self.ready.model.kind(name) {
                    Some(Kind::Scalar(scalar)) => scalar_value(scalar, value),
                    Some(Kind::Enum(at)) => {
                        let known = value.as_str().is_some_and(|word| self.ready.model.enums[at].values.iter().any(|value| value == word));
                        known.then(|| value.clone())
                    }
                    _ => None,
                };
                fitting.ok_or_else(|| self.mismatch(one, way, ty))
            }
        }
    }

    fn missing(&self, one: &Chosen<'_>, way: &Way) -> Failed {
        self.fail(Failure::new("value_missing", "There is no value where the schema promises one."), one, way)
    }

    fn mismatch(&self, one: &Chosen<'_>, way: &Way, ty: &Ty) -> Failed {
        self.fail(Failure::new("value_mismatch", format!("The value that is stored here is not of type {ty}.")), one, way)
    }
}

/// An item that failed is null in a list whose items may be.
fn nullable(inner: &Ty, failed: Failed) -> Result<Value, Failed> {
    if matches!(inner, Ty::NonNull(_)) { Err(failed) } else { Ok(Value::Null) }
}

fn scalar_value(scalar: Scalar, value: &Value) -> Option<Value> {
    match (scalar, value) {
        (Scalar::Json, value)
        | (Scalar::Boolean, value @ Value::Bool(_))
        | (Scalar::Float, value @ Value::Number(_))
        | (Scalar::String | Scalar::Id | Scalar::DateTime, value @ Value::String(_)) => Some(value.clone()),
        (Scalar::Int, Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| {
                let real = number.as_f64().filter(|real| real.fract() == 0.0 && real.abs() <= f64::from(u32::MAX))?;
                #[allow(clippy::cast_possible_truncation, reason = "a whole number within the bounds that were just compared")]
                Some(real as i64)
            });
            whole.and_then(|whole| i32::try_from(whole).ok()).map(Value::from)
        }
        (Scalar::Id | Scalar::String, Value::Number(number)) => Some(Value::String(number.to_string())),
        _ => None,
    }
}
