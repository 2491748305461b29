//! Endpoints that an upstream answers.

use serde_json::Value;

use super::endpoints::Context;
use super::report::Report;
use super::{paths, upstreams};
use crate::file::form;
use crate::file::upstreams as written;
use crate::model::{Endpoint, Operation, UpstreamCall};
use crate::schema::Schema;

/// `ANY` stands for these; GET answers HEAD too.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
const ANY: &str = "ANY";

/// What an endpoint asks of its upstream.
pub(super) fn call(context: &Context<'_>, call: written::UpstreamCall, report: &mut Report) -> UpstreamCall {
    let (endpoint, place) = (context.written, context.place);
    let at = |name: &str| format!("{place}.operation.{name}");
    report.known(at("upstream"), "upstream", &call.upstream, context.declared.upstreams.iter().map(|upstream| upstream.name.as_str()));
    let served = METHODS.contains(&endpoint.method.as_str()) || endpoint.method == ANY;
    report.expect(served, format!("{place}.method"), format!("an upstream is asked by {}, or ANY for all of them", METHODS.join(", ")));
    context.foreign("an upstream's endpoint", &[], report);
    if call.websocket {
        report.expect(matches!(endpoint.method.as_str(), "GET" | ANY), at("websocket"), "begins with a GET");
    }
    if let Err(why) = paths::upstream(context.base, &endpoint.path) {
        report.add(format!("{place}.path"), why);
    } else if let Err(why) = upstreams::template(context.base, &endpoint.path, call.path.as_deref().unwrap_or(&endpoint.path)) {
        report.add(at("path"), why);
    }
    let schema = call.schema.and_then(|schema| self::schema(&at("schema"), &endpoint.method, schema, report));
    UpstreamCall {
        upstream: call.upstream,
        path: call.path.unwrap_or_else(|| endpoint.path.clone()),
        websocket: call.websocket,
        schema,
        max_request_bytes: call.max_request_bytes,
    }
}

fn schema(place: &str, method: &str, schema: Value, report: &mut Report) -> Option<Value> {
    report.expect(matches!(method, "POST" | "PUT" | "PATCH"), place, "only a POST, PUT or PATCH of its own has a body that is checked");
    let read = crate::file::json(schema).and_then(|schema| match Schema::compile(&schema) {
        Ok(_) => Ok(schema),
        Err(why) => Err(format!("is not a usable JSON Schema: {why}")),
    });
    read.map_err(|why| report.add(place, why)).ok()
}

/// Whether two endpoints of one path would answer the same requests.
pub(super) fn same_method(one: &str, other: &str) -> bool {
    one == other || one == ANY && METHODS.contains(&other) || other == ANY && METHODS.contains(&one)
}

/// A wildcard beside a placeholder at the same place, which no router accepts.
pub(super) fn overlaps(endpoints: &[form::Endpoint], report: &mut Report) {
    let shapes: Vec<String> = endpoints.iter().map(|endpoint| paths::shape(&endpoint.path)).collect();
    for (i, shape) in shapes.iter().enumerate() {
        let Some(prefix) = shape.strip_suffix('*') else { continue };
        let beside = format!("{prefix}{{}}");
        if let Some(other) = shapes.iter().position(|other| other.starts_with(&beside)) {
            let path = &endpoints[other].path;
            report.add(
                format!("endpoints[{i}].path"),
                format!("stands at the same place as the placeholder of {path}; one of the two must go"),
            );
        }
    }
}

/// An endpoint of `ANY` method as one for each.
pub(super) fn each_method(endpoint: Endpoint) -> Vec<Endpoint> {
    if endpoint.operation != Operation::Upstream || endpoint.method != ANY {
        return vec![endpoint];
    }
    let one = |method: &&str| Endpoint {
        method: (*method).to_owned(),
        upstream: endpoint.upstream.clone().map(|call| UpstreamCall { websocket: call.websocket && *method == "GET", ..call }),
        ..endpoint.clone()
    };
    METHODS.iter().map(one).collect()
}
