//! Which values of a member may follow which, and with which a record may begin.

use kernel::{Error, Result};
use serde_json::{Map, Value};

use crate::document::pointer;
use crate::resource_type::ResourceType;

/// A new record begins with an allowed value.
///
/// Error: 422 `validation_failed`.
pub(crate) fn begin(kind: &ResourceType, document: &Map<String, Value>) -> Result<()> {
    let Some(states) = &kind.resource().states else { return Ok(()) };
    match document.get(&states.field) {
        Some(value) if !states.initial.is_empty() && !states.initial.contains(value) => {
            Err(Error::field(pointer(&states.field), format!("must begin with {}", list(&states.initial))))
        }
        _ => Ok(()),
    }
}

/// A changed record goes an allowed way.
///
/// Error: 409 `transition_refused`.
pub(crate) fn follow(kind: &ResourceType, before: &Map<String, Value>, after: &Map<String, Value>) -> Result<()> {
    let Some(states) = &kind.resource().states else { return Ok(()) };
    let null = Value::Null;
    let (from, to) = (before.get(&states.field).unwrap_or(&null), after.get(&states.field).unwrap_or(&null));
    // A record from before the states were declared may begin anew.
    if from.is_null() || states.allows(from, to) {
        return Ok(());
    }
    let next = states.next.iter().find(|(value, _)| value == from).map(|(_, next)| next.as_slice()).unwrap_or_default();
    let follow = if next.is_empty() { "nothing may follow".to_owned() } else { format!("{} may follow", list(next)) };
    let detail = format!("The {} cannot change from {from} to {to}: {follow}.", states.field);
    Err(Error::conflict("transition_refused", detail).at(pointer(&states.field), format!("cannot follow {from}; {follow}")))
}

fn list(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ")
}
