//! Which of our fields a vendor's probably are: by name, whatever its spelling, and by what it holds.

use blueprint::model::Resource;
use connectors::{FieldAbout, FieldKind, ObjectSchema};
use mappings::{Direction, FieldMapping, TransformInput};
use serde_json::Value;

use super::forms::{form_of, form_of_member};

/// Deepest member of ours that is looked at: `address.city`.
const DEPTH: usize = 2;

/// Names of one thing, as they read without capitals and signs.
const SAME: &[&[&str]] = &[
    &["email", "emailaddress", "mail", "primaryemail"],
    &["phone", "phonenumber", "telephone", "primaryphone", "tel"],
    &["mobile", "mobilephone", "cell", "cellphone"],
    &["firstname", "givenname", "forename"],
    &["lastname", "familyname", "surname"],
    &["name", "fullname", "displayname"],
    &["company", "companyname", "organization", "organisation", "account", "accountname"],
    &["title", "jobtitle", "position", "role"],
    &["street", "addressstreet", "address1", "address", "mailingstreet"],
    &["city", "addresscity", "mailingcity", "town"],
    &["state", "region", "addressstate", "mailingstate", "province"],
    &["zip", "zipcode", "postalcode", "postcode", "addresszip", "addresspostalcode", "mailingpostalcode"],
    &["country", "addresscountry", "mailingcountry"],
    &["website", "url", "web", "homepage", "domain"],
    &["notes", "note", "description", "comments", "comment"],
    &["source", "leadsource", "hsanalyticssource", "origin"],
    &["status", "leadstatus", "hsleadstatus", "stage", "dealstage", "lifecyclestage"],
    &["value", "amount", "dealvalue", "price"],
    &["dateofbirth", "birthdate", "birthday", "dob"],
    &["subject", "summary", "dealname", "topic"],
    &["employees", "numberofemployees", "numemployees", "noofemployees"],
    &["revenue", "annualrevenue"],
];

/// The fields of a resource type and the vendor's that they probably are.
pub(super) fn propose(connector: &str, resource: &Resource, object: &ObjectSchema) -> Vec<FieldMapping> {
    let mut ours = Vec::new();
    members(&resource.schema, "", 1, &mut ours);
    let mut taken = vec![false; object.fields.len()];
    let mut proposed = Vec::new();
    for (path, schema) in ours {
        let is_ours_only = path.split('.').next().is_some_and(|member| resource.is_derived(member));
        let best = object.fields.iter().enumerate().filter(|(at, _)| !taken[*at]);
        let best =
            best.filter_map(|(at, field)| score(&path, field).map(|score| (score, at))).max_by_key(|(score, at)| (*score, usize::MAX - at));
        let Some((_, at)) = best else { continue };
        let field = &object.fields[at];
        if is_ours_only && field.read_only {
            continue;
        }
        taken[at] = true;
        proposed.push(mapping(connector, path, schema, field, is_ours_only));
    }
    if let Some(key) = proposed.iter_mut().find(|one| is_key(one, object)) {
        key.key = true;
    }
    proposed
}

fn members<'a>(schema: &'a Value, prefix: &str, depth: usize, found: &mut Vec<(String, &'a Value)>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, member) in properties {
        // A name with a dot cannot be told from a path.
        if name.contains('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if member["type"] == "object" && depth < DEPTH {
            members(member, &format!("{path}."), depth + 1, found);
        } else if member["type"] != "object" {
            found.push((path, member));
        }
    }
}

/// How much two fields resemble each other; none: not at all.
fn score(path: &str, field: &FieldAbout) -> Option<u32> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let names = [plain(path), plain(last)];
    let custom = field.name.strip_suffix("__c").unwrap_or(&field.name);
    let theirs = [plain(custom), plain(&field.label)];
    let whole = names[0] == theirs[0];
    let part = names.contains(&theirs[0]);
    let label = names.contains(&theirs[1]);
    let alike = |one: &String, other: &String| SAME.iter().any(|group| group.contains(&one.as_str()) && group.contains(&other.as_str()));
    let known = names.iter().any(|ours| theirs.iter().any(|theirs| alike(ours, theirs)));
    let by_kind = match field.kind {
        FieldKind::Email => names.iter().any(|name| name.ends_with("email")),
        FieldKind::Phone => names.iter().any(|name| name.ends_with("phone")),
        _ => false,
    };
    let score = match () {
        () if whole => 50,
        () if part => 40,
        () if label => 30,
        () if known => 20,
        () if by_kind => 10,
        () => return None,
    };
    Some(score + u32::from(!field.read_only))
}

/// A name without capitals and signs.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn mapping(connector: &str, path: String, schema: &Value, field: &FieldAbout, is_ours_only: bool) -> FieldMapping {
    let direction = match (field.read_only, is_ours_only) {
        (true, _) => Direction::ToLocal,
        (_, true) => Direction::ToRemote,
        _ => Direction::Both,
    };
    let is_email = field.kind == FieldKind::Email;
    FieldMapping {
        local_field: Some(path),
        remote_field: Some(field.name.clone()),
        direction: Some(direction),
        transformer: is_email.then(|| TransformInput::Text("trim".to_owned())),
        local_type: form_of_member(schema),
        remote_type: form_of(connector, field.kind),
        ..FieldMapping::default()
    }
}

fn is_key(mapping: &FieldMapping, object: &ObjectSchema) -> bool {
    let field = object.fields.iter().find(|field| Some(&field.name) == mapping.remote_field.as_ref());
    field.is_some_and(|field| mapping.direction == Some(Direction::Both) && (field.unique || field.kind == FieldKind::Email))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, label: &str, kind: FieldKind) -> FieldAbout {
        let (name, label) = (name.to_owned(), label.to_owned());
        FieldAbout { name, label, kind, required: false, read_only: false, unique: false, custom: false, options: Vec::new() }
    }

    #[test]
    fn fields_find_each_other_by_name_label_and_meaning() {
        let blueprint = blueprint::load("insurance-leads").unwrap();
        let lead = blueprint.resources.iter().find(|resource| resource.name == "lead").unwrap();
        let mut created = field("CreatedDate", "Created", FieldKind::DateTime);
        created.read_only = true;
        let object = ObjectSchema {
            object: "Lead".to_owned(),
            fields: vec![
                field("LastName", "Last Name", FieldKind::Text),
                field("FirstName", "First Name", FieldKind::Text),
                field("Email", "Email", FieldKind::Email),
                field("MobilePhone", "Mobile", FieldKind::Phone),
                field("Phone", "Phone", FieldKind::Phone),
                field("9f2b", "Insurance Type", FieldKind::Choice),
                field("Fax", "Fax", FieldKind::Phone),
                created,
            ],
        };
        let proposed = propose("salesforce", lead, &object);
        let pairs: Vec<(&str, &str)> =
            proposed.iter().map(|one| (one.local_field.as_deref().unwrap(), one.remote_field.as_deref().unwrap())).collect();
        for pair in
            [("firstName", "FirstName"), ("lastName", "LastName"), ("email", "Email"), ("phone", "Phone"), ("insuranceType", "9f2b")]
        {
            assert!(pairs.contains(&pair), "{pair:?} in {pairs:?}");
        }
        assert!(!pairs.iter().any(|(_, theirs)| *theirs == "Fax"));
        let key: Vec<&FieldMapping> = proposed.iter().filter(|one| one.key).collect();
        assert_eq!(key.len(), 1);
        assert_eq!(key[0].remote_field.as_deref(), Some("Email"));
        let input = mappings::MappingInput { field_mappings: proposed, ..mappings::MappingInput::default() };
        assert!(mappings::Mapping::compile(&input).is_ok(), "what is proposed is whole");
    }
}
