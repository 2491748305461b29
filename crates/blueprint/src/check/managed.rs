//! Endpoints that serve an operation of the native API under names of the product's own.

use serde_json::{Map, Value};

use super::endpoints::Context;
use super::paths;
use super::report::{Report, is_member};
use crate::file::json as json_of;
use crate::file::operations::{self, Credential};
use crate::model::{ClientPlace, CredentialKind, Endpoint, MANAGED, ManageCall, Managed, ManagedClient, ManagedQuery, Operation};
use crate::schema::Schema;
use crate::{Fault, suggest};

pub(super) fn check(context: &Context<'_>, call: operations::ManageCall, checked: &mut Endpoint, report: &mut Report) -> Option<()> {
    let at = |member: &str| context.at(&format!("operation.{member}"));
    report.known(at("call"), "operation", &call.call, MANAGED.iter().map(|managed| managed.id));
    let managed = Managed::find(&call.call)?;
    checked.operation = Operation::Manage;
    let methods = managed.methods;
    let served = methods.contains(&context.written.method.as_str());
    report.expect(served, context.at("method"), format!("{} is served by {}", managed.id, methods.join(" or ")));
    context.foreign("an endpoint that manages", &["not_found", "answer", "status"], report);
    path(context, managed, report);
    report.distinct("credential", &call.credentials, |i| at(&format!("credentials[{i}]")));
    checked.manage = Some(Box::new(ManageCall {
        managed,
        client: client(context, managed, call.client, report),
        body: body(context, managed, call.body, report),
        fixed: fixed(context, managed, call.fixed, report),
        schema: call.schema.and_then(|schema| self::schema(&at("schema"), schema, report)),
        query: query(context, managed, call.query, report),
        credentials: call.credentials.into_iter().map(kind).collect(),
    }));
    let manage = checked.manage.as_deref().expect("it was set just now");
    for (wire, native) in &manage.body {
        let clash = manage.fixed.contains_key(native.split('.').next().unwrap_or_default());
        report.expect(!clash, at(&format!("body.{wire}")), format!("{native} is fixed already"));
    }
    Some(())
}

fn kind(written: Credential) -> CredentialKind {
    match written {
        Credential::Partner => CredentialKind::Partner,
        Credential::Session => CredentialKind::Session,
        Credential::ServiceKey => CredentialKind::ServiceKey,
    }
}

fn path(context: &Context<'_>, managed: &Managed, report: &mut Report) {
    let at = context.at("path");
    match paths::placeholders(context.base, &context.written.path) {
        Err(why) => report.add(at, why),
        Ok(names) if names.len() != managed.names => {
            let what =
                if managed.names == 0 { "must not have a placeholder" } else { "must name the thing by one placeholder such as {id}" };
            report.add(at, what);
        }
        Ok(_) => {}
    }
}

fn client(context: &Context<'_>, managed: &Managed, client: Option<operations::Client>, report: &mut Report) -> Option<ManagedClient> {
    let client = client?;
    let at = |member: &str| context.at(&format!("operation.client{member}"));
    report.expect(managed.client != ClientPlace::None, at(""), format!("{} does not name a client", managed.id));
    let fits = kernel::text::external_id(&client.external_id).is_ok();
    report.expect(fits, at(".external_id"), "must be letters, digits and _ . : -, at most 128 of them");
    report.prose(at(".name"), &client.name, 1, 200);
    Some(ManagedClient { external_id: client.external_id, name: client.name })
}

fn known_member(place: &str, managed: &Managed, native: &str, report: &mut Report) -> bool {
    let first = native.split('.').next().unwrap_or_default();
    if managed.body.contains(&first) {
        return true;
    }
    let suggestion = suggest::nearest(first, managed.body.iter().copied()).map(str::to_owned);
    let message =
        if managed.body.is_empty() { format!("{} has no body", managed.id) } else { format!("{} has no member {first:?}", managed.id) };
    report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
    false
}

fn body(context: &Context<'_>, managed: &Managed, body: Map<String, Value>, report: &mut Report) -> Vec<(String, String)> {
    let mut renamed: Vec<(String, String)> = Vec::new();
    for (wire, native) in body {
        let place = context.at(&format!("operation.body.{wire}"));
        report.expect(is_member(&wire), &place, "a member's name is letters, digits and _, at most 64 of them");
        let Some(native) = native.as_str() else {
            report.add(place, "must be the name of a member, such as \"expiresInDays\"");
            continue;
        };
        known_member(&place, managed, native, report);
        let within = |one: &str, other: &str| one == other || one.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
        let twice = renamed.iter().any(|(_, other)| within(native, other) || within(other, native));
        report.expect(!twice, &place, format!("{native} is named already"));
        renamed.push((wire, native.to_owned()));
    }
    renamed
}

fn fixed(context: &Context<'_>, managed: &Managed, fixed: Map<String, Value>, report: &mut Report) -> Map<String, Value> {
    for name in fixed.keys() {
        known_member(&context.at(&format!("operation.fixed.{name}")), managed, name, report);
    }
    fixed
}

fn schema(place: &str, schema: Value, report: &mut Report) -> Option<Value> {
    let read = json_of(schema).and_then(|schema| match Schema::compile(&schema) {
        Ok(_) => Ok(schema),
        Err(why) => Err(format!("is not a usable JSON Schema: {why}")),
    });
    read.map_err(|why| report.add(place, why)).ok()
}

fn query(
    context: &Context<'_>,
    managed: &Managed,
    query: impl IntoIterator<Item = (String, operations::Query)>,
    report: &mut Report,
) -> Vec<ManagedQuery> {
    let mut named = Vec::new();
    for (name, query) in query {
        let at = |member: &str| context.at(&format!("operation.query.{name}{member}"));
        report.expect(is_member(&name), at(""), "a parameter's name is letters, digits and _, at most 64 of them");
        report.known(at(".native"), "query parameter", &query.native, managed.query.iter().copied());
        if let Some(default) = &query.default {
            let fits = query.allowed.is_empty() || query.allowed.contains(default);
            report.expect(fits, at(".default"), "must be one of those that are allowed");
        }
        named.push(ManagedQuery { name, native: query.native, default: query.default, allowed: query.allowed });
    }
    named
}
