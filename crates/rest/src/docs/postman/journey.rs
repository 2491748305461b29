//! In which order the product's operations can be called, so that each finds what it needs.
//!
//! An operation *needs* what its path names (`/companies/{id}`: a company) and what its body refers to (`companyId`); a creation *gives* one.
//! Creations come first, in the order of their needs; then what reads and changes; deletions last, what was made last first.

use std::collections::HashSet;

use serde_json::Value;

use crate::docs::reference::{Operation, Place, Reference};
use crate::shapes::UNIQUE;

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
        // A product may show jobs of one kind at a path of their own: those are named after it.
        let named: HashSet<String> = waiting.iter().flat_map(|one| path_variables(one)).map(|(_, name)| name).collect();
        let gives = |operation: &Operation| gives(operation, &named);
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
        "POST" if gives(operation, &HashSet::new()).is_some() => 0,
        "GET" => 1,
        _ => 2,
    }
}

/// The variable that a creation's answer sets: what stands before its last word that is no verb. `named`: those that paths use.
fn gives(operation: &Operation, named: &HashSet<String>) -> Option<String> {
    let creates = operation.success().is_some_and(|answer| matches!(answer.status.as_str(), "201" | "202"));
    if operation.method != "POST" || !creates || operation.path.ends_with("/batch") || operation.path.ends_with("/import") {
        return None;
    }
    // A record may have a member of this name too: it has an id of its own.
    let starts_job = |made: &Value| has(made, "jobId") && !has(made, "id");
    if operation.success().is_some_and(|answer| answer.example.as_ref().is_some_and(starts_job)) {
        let noun = operation.path.rsplit('/').filter(|segment| !segment.contains('{')).nth(1).unwrap_or_default();
        return Some(job_of(noun).filter(|name| named.contains(name)).unwrap_or_else(|| "jobId".to_owned()));
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

/// `simulations` to `simulationJobId`; none for what is no plural: `v1`.
fn job_of(plural: &str) -> Option<String> {
    let singular = variable(plural);
    plural.ends_with('s').then(|| format!("{}JobId", singular.strip_suffix("Id").unwrap_or(&singular)))
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
    let (mut above, mut before) = ("", "");
    let mut out = Vec::new();
    for segment in operation.path.split('/') {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some("id") => {
                let job = if before == "jobs" { job_of(above) } else { None };
                out.push(("id".to_owned(), job.unwrap_or_else(|| variable(before))));
            }
            Some(name) => out.push((name.to_owned(), camel(name))),
            None if !segment.is_empty() => (above, before) = (before, segment),
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

/// The example of the body, with variables where it refers to something, and what is new at each run: addresses, and texts that must be unique.
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
            } else if value.is_string() && takes_any_unique(&body.schema["properties"][name]) {
                *value = Value::String("{{$guid}}".to_owned());
            }
        }
    }
    serde_json::to_string_pretty(&example).expect("a value serialises")
}

/// How long a `{{$guid}}` is.
const GUID: u64 = 36;

/// Whether a member's text must be unique, and may be any.
fn takes_any_unique(member: &Value) -> bool {
    let free = ["enum", "const", "pattern", "format", "example", "$ref"].iter().all(|word| member.get(word).is_none());
    member[UNIQUE] == true && free && member["maxLength"].as_u64().is_none_or(|most| most >= GUID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A product whose records have a member `jobId`, and one that is unique.
    fn parcels() -> Value {
        let made = json!({"id": "rec_1", "jobId": "text", "label": "text"});
        let body =
            json!({"properties": {"label": {"type": "string", UNIQUE: true}, "size": {"type": "string", UNIQUE: true, "maxLength": 5}}});
        let creation = json!({
            "operationId": "parcels.create", "x-declared": true,
            "requestBody": {"content": {"application/json": {"schema": body, "example": {"label": "text", "size": "text"}}}},
            "responses": {"201": {"content": {"application/json": {"example": made}}}},
        });
        let weighing = json!({
            "operationId": "weigh.start", "x-declared": true,
            "requestBody": {"content": {"application/json": {"schema": {}, "example": {"parcelId": "text"}}}},
            "responses": {"202": {"content": {"application/json": {"example": {"jobId": "job_1", "parcelId": "rec_1"}}}}},
        });
        json!({"paths": {"/weighings": {"post": weighing}, "/parcels": {"post": creation}}})
    }

    #[test]
    fn a_record_with_a_member_job_id_is_no_job() {
        let reference = Reference::of(&parcels());
        let journey = Journey::of(&reference);
        let given: Vec<_> = journey.steps.iter().map(|step| (step.operation.id.as_str(), step.gives.as_deref())).collect();
        assert_eq!(given, [("parcels.create", Some("parcelId")), ("weigh.start", Some("jobId"))]);
        assert!(body(journey.steps[1].operation).contains("\"parcelId\": \"{{parcelId}}\""));
    }

    /// Jobs of a kind that has a path of its own are found there, and nowhere else.
    #[test]
    fn a_job_is_looked_for_where_its_kind_is_shown() {
        let started = json!({"202": {"content": {"application/json": {"example": {"jobId": "job_1"}}}}});
        let start = |id: &str| json!({"operationId": id, "x-declared": true, "responses": started});
        let show = |id: &str| json!({"operationId": id, "x-declared": true, "responses": {"200": {}}});
        let reference = Reference::of(&json!({"paths": {
            "/v1/calls/analyze": {"post": start("calls.analyze")},
            "/v1/simulations/trigger": {"post": start("simulations.trigger")},
            "/v1/jobs/{id}/status": {"get": show("jobs.status")},
            "/v1/simulations/jobs/{id}": {"get": show("simulations.job")},
        }}));
        let journey = Journey::of(&reference);
        let given: Vec<_> = journey.steps.iter().map(|step| (step.operation.id.as_str(), step.gives.as_deref())).collect();
        let starts = [("calls.analyze", Some("jobId")), ("simulations.trigger", Some("simulationJobId"))];
        assert_eq!((given.len(), &given[..2]), (4, &starts[..]));
        let names = |id: &str| path_variables(reference.operations.iter().find(|one| one.id == id).unwrap());
        assert_eq!(names("simulations.job"), [("id".to_owned(), "simulationJobId".to_owned())]);
        assert_eq!(names("jobs.status"), [("id".to_owned(), "jobId".to_owned())]);
    }

    #[test]
    fn what_must_be_unique_is_new_at_each_run() {
        let reference = Reference::of(&parcels());
        let creation = reference.operations.iter().find(|one| one.id == "parcels.create").unwrap();
        let sent: Value = serde_json::from_str(&body(creation)).unwrap();
        assert_eq!(sent, json!({"label": "{{$guid}}", "size": "text"}), "five characters are no room for a new one");
    }

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
