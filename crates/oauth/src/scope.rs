//! The `scope` parameter: which scopes a request asks for, and what may be granted of them.

use blueprint::Blueprint;
use kernel::{Caller, Error, Result};
use serde::Serialize;

use crate::errors::invalid_scope;

/// Most scopes in a request.
const MOST: usize = 200;

/// Scopes of OpenID Connect (Core §5.4, §11): about the person, opening nothing of the product.
pub const IDENTITY: &[(&str, &str)] = &[
    ("openid", "Know who you are when you sign in there"),
    ("profile", "See your name"),
    ("email", "See your e-mail address"),
    ("offline_access", "Keep access while you are away"),
];

/// A scope in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct ScopeLine {
    /// Its name.
    pub name: String,
    /// What it allows, in a sentence.
    pub text: String,
}

/// Whether a scope is about the person only.
pub fn is_identity(scope: &str) -> bool {
    IDENTITY.iter().any(|(name, _)| *name == scope)
}

/// The scopes that a client gets for `asked`, each once, in the order of asking; without one that is asked for, all that it may have. Neither
/// more than the client's ceiling (expanded) nor one that does not exist. `identity`: whether a person is asked.
///
/// Error: 400 `invalid_scope`.
pub(crate) fn resolve(blueprint: &Blueprint, asked: Option<&str>, ceiling: &[String], identity: bool) -> Result<Vec<String>> {
    let Some(asked) = asked else { return Ok(ceiling.to_vec()) };
    let mut scopes: Vec<String> = Vec::new();
    for name in asked.split(' ').filter(|name| !name.is_empty()) {
        if scopes.iter().any(|known| known == name) {
            continue;
        }
        if scopes.len() == MOST {
            return Err(invalid_scope(format!("More than {MOST} scopes are asked for.")));
        }
        let known = if is_identity(name) { identity } else { blueprint.scope(name).is_some() && ceiling.iter().any(|held| held == name) };
        if !known {
            return Err(invalid_scope(format!("This client may not have the scope {name}, or it does not exist.")));
        }
        scopes.push(name.to_owned());
    }
    Ok(scopes)
}

/// What a person who acts for a tenant may grant of `asked`, and what not.
pub(crate) fn grantable(blueprint: &Blueprint, caller: &Caller, asked: &[String]) -> (Vec<String>, Vec<String>) {
    let may = |scope: &String| {
        is_identity(scope)
            || !caller.is_bound_by_scopes()
            || blueprint.expand_scopes(std::slice::from_ref(scope)).iter().all(|one| caller.scopes().contains(one))
    };
    asked.iter().cloned().partition(may)
}

/// What of `grantable` the person chose; without a choice, all. Error: 422 for one that is not among them.
pub(crate) fn choose(grantable: Vec<String>, chosen: Option<Vec<String>>) -> Result<Vec<String>> {
    let Some(chosen) = chosen else { return Ok(grantable) };
    if let Some(index) = chosen.iter().position(|one| !grantable.contains(one)) {
        return Err(Error::field(format!("/scopes/{index}"), "was not asked for, or is not yours to allow"));
    }
    Ok(grantable.into_iter().filter(|one| chosen.contains(one)).collect())
}

/// In plain words.
pub(crate) fn lines(blueprint: &Blueprint, scopes: &[String]) -> Vec<ScopeLine> {
    let text = |name: &str| {
        let identity = IDENTITY.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        identity.or_else(|| blueprint.scope(name).map(|scope| scope.description.clone())).unwrap_or_else(|| name.to_owned())
    };
    scopes.iter().map(|name| ScopeLine { name: name.clone(), text: text(name) }).collect()
}

/// All of `known`, and what of `more` is not among them.
pub(crate) fn union(mut known: Vec<String>, more: Vec<String>) -> Vec<String> {
    for scope in more {
        if !known.contains(&scope) {
            known.push(scope);
        }
    }
    known
}

/// A list of scopes from its text.
pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}
