//! In which order the product's operations can be called, so that each finds what it needs.
//!
//! An operation *needs* what its path names (`/companies/{id}`: a company) and what its body refers to (`companyId`); a creation *gives* one.
//! Creations come first, in the order of their needs; then what reads and changes; deletions last, what was made last first.

use std::collections::HashSet;

use serde_json::Value;

use crate::docs::reference::{Operation, Place, Reference};

/// The product's own operations, in order.
pub(crate) struct Journey<'a> {
    pub(crate) steps: Vec<Step<'a>>,
}

/// One call of the journey.
pub(crate) struct Step<'a> {
    pub(crate) operation: &'a Operation,
    /// The variable that its answer sets.
    pub(crate) gives: Option<String>,
}

impl<'a> Journey<'a> {
    pub(crate) fn of(reference: &'a Reference) -> Self {
        let mut waiting: Vec<&Operation> = reference.operations.iter().filter(|one| one.declared && !one.deprecated).collect();
        waiting.sort_by_key(|operation| rank(operation));
        let (removals, mut waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|operation| operation.method == "DELETE");
        let givable: HashSet<String> = waiting.iter().filter_map(|operation| gives(operation)).collect();
        let mut given: HashSet<String> = HashSet::new();
        let mut steps: Vec<Step<'a>> = Vec::new();
        while let Some(at) = waiting.iter().position(|operation| needs(operation, &givable).is_subset(&given)) {
            let operation = waiting.remove(at);
            let gives = gives(operation).filter(|name| given.insert(name.clone()));
            steps.push(Step { operation, gives });
        }
        let order: Vec<String> = steps.iter().filter_map(|step| step.gives.clone()).collect();
        let mut removals: Vec<&Operation> = removals.into_iter().filter(|one| needs(one, &givable).is_subset(&given)).collect();
        removals.sort_by_key(|one| std::cmp::Reverse(order.iter().position(|name| needs(one, &givable).contains(name))));
        steps.extend(removals.into_iter().map(|operation| Step { operation, gives: None }));
        Self { steps }
    }

    pub(crate) fn has(&self, operation: &Operation) -> bool {
        self.steps.iter().any(|step| step.operation.id == operation.id)
    }

    /// Every variable that some request of the collection uses.
    pub(crate) fn variables(&self, reference: &Reference) -> Vec<String> {
        let mut names: Vec<String> = self.steps.iter().filter_map(|step| step.gives.clone()).collect();
        for operation in &reference.operations {
            names.extend(path_variables(operation).into_iter().map(|(_, name)| name));
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

/// Creations, lists and reads, changes.
fn rank(operation: &Operation) -> u8 {
    match operation.method.as_str() {
        "POST" if gives(operation).is_some() => 0,
        "GET" => 1,
        _ => 2,
    }
}

/// The variable that a creation's answer sets: what stands before its last word that is no verb.
fn gives(operation: &Operation) -> Option<String> {
    let creates = operation.success().is_some_and(|answer| matches!(answer.status.as_str(), "201" | "202"));
    if operation.method != "POST" || !creates || operation.path.ends_with("/batch") || operation.path.ends_with("/import") {
        return None;
    }
    if operation.success().is_some_and(|answer| answer.example.as_ref().is_some_and(|made| has(made, "jobId"))) {
        return Some("jobId".to_owned());
    }
    let last = operation.path.rsplit('/').find(|segment| !segment.contains('{') && !matches!(*segment, "create" | "new" | "add"))?;
    Some(variable(last))
}

fn has(made: &Value, name: &str) -> bool {
    made.get(name).is_some() || made["data"].get(name).is_some()
}

/// What must have been made before.
fn needs(operation: &Operation, givable: &HashSet<String>) -> HashSet<String> {
    let mut needs: HashSet<String> = path_variables(operation).into_iter().map(|(_, name)| name).collect();
    let example = operation.body.as_ref().map(|body| &body.example);
    let members = example.and_then(Value::as_object).into_iter().flatten();
    needs.extend(members.map(|(name, _)| camel(name)).filter(|name| givable.contains(name) && name != "jobId"));
    needs
}

/// `companies` to `companyId`, `rest-endpoints` to `restEndpointId`.
fn variable(plural: &str) -> String {
    let singular = match plural {
        _ if plural.ends_with("ies") => format!("{}y", &plural[..plural.len() - 3]),
        _ if plural.ends_with("sses") || plural.ends_with("xes") => plural[..plural.len() - 2].to_owned(),
        _ if plural.ends_with("ss") => plural.to_owned(),
        _ => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
    };
    format!("{}Id", camel(&singular))
}

/// `lead_id` and `lead-id` to `leadId`.
fn camel(text: &str) -> String {
    let mut words = text.split(['-', '_']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let mut letters = word.chars();
        all + &letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default() + letters.as_str()
    })
}

/// The parameters of a path with the variables that fill them: `{id}` after `companies` is `companyId`; one with a name of its own is that.
fn path_variables(operation: &Operation) -> Vec<(String, String)> {
    let mut before = "";
    let mut out = Vec::new();
    for segment in operation.path.split('/') {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some("id") => out.push(("id".to_owned(), variable(before))),
            Some(name) => out.push((name.to_owned(), camel(name))),
            None if !segment.is_empty() => before = segment,
            None => {}
        }
    }
    out
}

/// The path with variables in place of its parameters.
pub(super) fn filled(operation: &Operation) -> String {
    let known: Vec<&str> = operation.parameters_in(Place::Path).map(|parameter| parameter.name.as_str()).collect();
    path_variables(operation)
        .into_iter()
        .filter(|(name, _)| known.contains(&name.as_str()))
        .fold(operation.path.clone(), |path, (name, variable)| path.replace(&format!("{{{name}}}"), &format!("{{{{{variable}}}}}")))
}

/// The example of the body, with variables where it refers to something, and addresses that are new at each run.
pub(super) fn body(operation: &Operation) -> String {
    let Some(body) = &operation.body else { return String::new() };
    let mut example = body.example.clone();
    if let Some(members) = example.as_object_mut() {
        for (name, value) in members.iter_mut() {
            let camel = camel(name);
            let reference = camel.ends_with("Id") && camel != "externalId" && value.is_string() && !operation.path.contains("/events");
            if reference {
                *value = Value::String(format!("{{{{{camel}}}}}"));
            } else if value.as_str().is_some_and(|text| text.ends_with("@example.com")) {
                *value = Value::String("{{$guid}}@example.com".to_owned());
            }
        }
    }
    serde_json::to_string_pretty(&example).expect("a value serialises")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_become_variables() {
        for (plural, name) in
            [("companies", "companyId"), ("leads", "leadId"), ("rest-endpoints", "restEndpointId"), ("addresses", "addressId")]
        {
            assert_eq!(variable(plural), name);
        }
        assert_eq!(camel("lead_id"), "leadId");
    }
}
