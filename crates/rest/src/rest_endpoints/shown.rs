//! What an endpoint shows of a record when it fixes `fields`, and that strangers ask about nothing else: who may compare a hidden member finds
//! its value by and by.

use std::collections::BTreeMap;

use kernel::{Error, Result};
use records::{Filter, Query, ResourceType};

use crate::list_query;

/// The members that the fixed parameters show. None: all.
pub(super) fn members(kind: &ResourceType, fixed: &BTreeMap<String, String>) -> Result<Option<Vec<String>>> {
    fixed.get("fields").map(|text| list_query::fields(kind, text)).transpose()
}

/// Refuses what a stranger asked about members that are not shown. Error: 422 `validation_failed`.
pub(super) fn check(kind: &ResourceType, shown: &[String], asked: &Query) -> Result<()> {
    let is_shown = |name: &str| name == "id" || shown.iter().any(|one| one == name);
    let hidden = |parameter: &str| Error::field(format!("/{parameter}"), "asks about members that are not shown here");
    if !of_shown(&asked.filter, &is_shown) {
        return Err(hidden("filter"));
    }
    if asked.sort.as_ref().is_some_and(|sort| !is_shown(&sort.field)) {
        return Err(hidden("sort"));
    }
    if asked.search.is_some() && !kind.resource().search.iter().all(|name| is_shown(name)) {
        return Err(hidden("search"));
    }
    Ok(())
}

fn of_shown(filter: &Filter, is_shown: &impl Fn(&str) -> bool) -> bool {
    match filter {
        Filter::All(many) | Filter::Any(many) => many.iter().all(|one| of_shown(one, is_shown)),
        Filter::Not(one) => of_shown(one, is_shown),
        Filter::Is(term) => is_shown(&term.field),
    }
}
