//! Blueprint scopes: what they are, and who may grant which.

mod list;

use blueprint::Blueprint;
use kernel::{Caller, Error, Result};

pub(crate) use list::handle as list_scopes;
pub use list::{ScopeInfo, ScopeList};

/// Most scopes named in one body.
const MAX_SCOPES: usize = 200;

/// The scopes that a key holds, with all that they imply: its own (none named: the client's), never more than the client's now.
pub(crate) fn held(blueprint: &Blueprint, client: Option<&[String]>, key: Option<&[String]>) -> Vec<String> {
    let ceiling = of_client(blueprint, client);
    match key {
        None => ceiling,
        Some(own) => blueprint.expand_scopes(own).into_iter().filter(|scope| ceiling.contains(scope)).collect(),
    }
}

/// The scopes that a client may have, with all that they imply: none named means all of the blueprint's.
pub(crate) fn of_client(blueprint: &Blueprint, scopes: Option<&[String]>) -> Vec<String> {
    scopes.map_or_else(|| blueprint.all_scopes(), |named| blueprint.expand_scopes(named))
}

/// Checks that every name is one of the blueprint's, each once. Error: 422 `unknown_scope` with a pointer to each.
pub(crate) fn check_names(blueprint: &Blueprint, scopes: &[String]) -> Result<()> {
    if scopes.len() > MAX_SCOPES {
        return Err(Error::field("/scopes", format!("must name at most {MAX_SCOPES} scopes")));
    }
    let fault = |(index, name): (usize, &String)| {
        let detail = if blueprint.scope(name).is_none() {
            "is not a scope of this product; GET /api/v1/scopes lists them"
        } else if scopes[..index].contains(name) {
            "is named twice"
        } else {
            return None;
        };
        Some((format!("/scopes/{index}"), detail))
    };
    let faults: Vec<_> = scopes.iter().enumerate().filter_map(fault).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let error = Error::invalid("unknown_scope", "Some scopes do not exist or are named twice; see errors.");
    Err(faults.into_iter().fold(error, |error, (pointer, detail)| error.at(pointer, detail)))
}

/// Checks that `wanted` (expanded) is within the client's `ceiling` (expanded). Error: 422 `scope_exceeds_client`.
pub(crate) fn within_client(wanted: &[String], ceiling: &[String]) -> Result<()> {
    let beyond = beyond(wanted, ceiling);
    if beyond.is_empty() {
        return Ok(());
    }
    let detail = format!("The client does not have: {}. A key cannot have more than its client.", beyond.join(", "));
    Err(Error::invalid("scope_exceeds_client", detail.clone()).at("/scopes", detail))
}

/// Checks that a caller who is bound by scopes holds everything in `granted` (expanded): nobody may grant, or get at, what they lack.
/// Error: 422 `scope_exceeds_client`.
pub fn within_caller(caller: &Caller, granted: &[String]) -> Result<()> {
    if !caller.is_bound_by_scopes() {
        return Ok(());
    }
    let beyond = beyond(granted, caller.scopes());
    if beyond.is_empty() {
        return Ok(());
    }
    let detail = format!("Your own credential does not hold: {}. Nobody may grant what they lack.", beyond.join(", "));
    Err(Error::invalid("scope_exceeds_client", detail.clone()).at("/scopes", detail))
}

fn beyond<'a>(wanted: &'a [String], ceiling: &[String]) -> Vec<&'a str> {
    wanted.iter().filter(|scope| !ceiling.contains(scope)).map(String::as_str).collect()
}
