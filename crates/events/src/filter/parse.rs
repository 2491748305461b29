//! From JSON to a filter, within bounds.

use kernel::{Error, Result};
use serde_json::Value;

use super::{Node, Test};

/// Deepest nesting of `$and`, `$or`, `$not`.
const MAX_DEPTH: usize = 8;
/// Most tests in a filter.
const MAX_TESTS: usize = 100;
/// Most steps of a path.
const MAX_STEPS: usize = 16;
/// Largest filter, as JSON.
const MAX_BYTES: usize = 16 * 1024;

pub(super) fn filter(value: &Value) -> Result<Node> {
    if value.to_string().len() > MAX_BYTES {
        return Err(fault("", format!("must have at most {MAX_BYTES} bytes")));
    }
    let mut tests = 0;
    node(value, "", 0, &mut tests)
}

fn fault(at: &str, detail: impl Into<String>) -> Error {
    Error::field(format!("/filter{at}"), detail)
}

fn step(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn node(value: &Value, at: &str, depth: usize, tests: &mut usize) -> Result<Node> {
    if depth > MAX_DEPTH {
        return Err(fault(at, format!("nests deeper than {MAX_DEPTH} levels")));
    }
    let members = value.as_object().ok_or_else(|| fault(at, "must be an object"))?;
    let mut all = Vec::with_capacity(members.len());
    for (name, value) in members {
        let place = step(at, name);
        match name.as_str() {
            "$and" => all.push(Node::All(many(value, &place, depth, tests)?)),
            "$or" => all.push(Node::Any(many(value, &place, depth, tests)?)),
            "$not" => all.push(Node::Not(Box::new(node(value, &place, depth + 1, tests)?))),
            other if other.starts_with('$') => return Err(fault(&place, "is no operator here; there are $and, $or, $not and paths")),
            path => tests_of(&split(path).map_err(|detail| fault(&place, detail))?, value, &place, tests, &mut all)?,
        }
    }
    Ok(Node::All(all))
}

fn many(value: &Value, at: &str, depth: usize, tests: &mut usize) -> Result<Vec<Node>> {
    let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(|| fault(at, "must be an array of at least one filter"))?;
    items.iter().enumerate().map(|(n, item)| node(item, &format!("{at}/{n}"), depth + 1, tests)).collect()
}

/// The steps of a path, or what is wrong with it.
pub(super) fn split(path: &str) -> std::result::Result<Vec<String>, String> {
    let steps: Vec<String> = path.split('.').map(str::to_owned).collect();
    if !matches!(steps[0].as_str(), "id" | "type" | "timestamp" | "data") {
        return Err("a path begins with id, type, timestamp or data, such as data.status".to_owned());
    }
    if steps.len() > MAX_STEPS || steps.iter().any(String::is_empty) {
        return Err(format!("a path has at most {MAX_STEPS} steps, none of them empty"));
    }
    Ok(steps)
}

fn tests_of(path: &[String], value: &Value, at: &str, tests: &mut usize, out: &mut Vec<Node>) -> Result<()> {
    let operators = value.as_object().filter(|members| members.keys().any(|name| name.starts_with('$')));
    let found = match operators {
        None => vec![Test::Eq(value.clone())],
        Some(members) => members.iter().map(|(name, operand)| operator(name, operand, &step(at, name))).collect::<Result<Vec<_>>>()?,
    };
    *tests += found.len();
    if *tests > MAX_TESTS {
        return Err(fault("", format!("must have at most {MAX_TESTS} tests")));
    }
    out.extend(found.into_iter().map(|test| Node::Test(path.to_vec(), test)));
    Ok(())
}

fn operator(name: &str, operand: &Value, at: &str) -> Result<Test> {
    let ordered = || {
        let fits = operand.is_number() || operand.is_string();
        if fits { Ok(operand.clone()) } else { Err(fault(at, "must be a number or a text")) }
    };
    Ok(match name {
        "$eq" => Test::Eq(operand.clone()),
        "$ne" => Test::Ne(operand.clone()),
        "$gt" => Test::Gt(ordered()?),
        "$gte" => Test::Gte(ordered()?),
        "$lt" => Test::Lt(ordered()?),
        "$lte" => Test::Lte(ordered()?),
        "$in" => Test::In(operand.as_array().cloned().ok_or_else(|| fault(at, "must be an array"))?),
        "$exists" => Test::Exists(operand.as_bool().ok_or_else(|| fault(at, "must be true or false"))?),
        "$startsWith" => Test::StartsWith(operand.as_str().ok_or_else(|| fault(at, "must be a text"))?.to_owned()),
        _ => return Err(fault(at, "is no operator; there are $eq $ne $gt $gte $lt $lte $in $exists $startsWith")),
    })
}
