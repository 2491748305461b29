//! Declared metrics: the query string, the answer's form, and what the documents say about both.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use blueprint::Blueprint;
use blueprint::model::{self, Aggregate, Envelope, Figure, Metric, MetricAnswer, Operation};
use http::StatusCode;
use kernel::Error;
use records::{Measurement, MetricQuery, Records};
use serde_json::{Map, Value, json};
use web::{Api, Auth, Endpoint, Json, Parameter, Result};

use super::envelope::Wrap;
use super::figures_table::{self, FORMS, Form};
use super::reply::{Found, Reply};
use super::{Asked, describe, reply};
use crate::shapes;

/// One declared metric behind a path, as its handler sees it.
pub(super) struct Measured {
    records: Arc<Records>,
    metric: Metric,
    scope: String,
    reply: Reply,
}

/// The declared endpoints of `blueprint` that tell figures, as routes.
pub fn metrics(records: &Arc<Records>, blueprint: &Blueprint) -> Api {
    let mut ids = std::collections::HashSet::new();
    let declared = blueprint.endpoints.iter().filter(|endpoint| endpoint.operation == Operation::Metric && !endpoint.public);
    declared.fold(Api::new(), |api, endpoint| match measured(records, blueprint, endpoint, "metrics.", &mut ids) {
        Some((described, route)) => api.route(described, measure, route),
        None => api,
    })
}

/// What the documents say of a metric's endpoint, and what its handler has. None: a blueprint's endpoints name its own metrics.
pub(super) fn measured(
    records: &Arc<Records>,
    blueprint: &Blueprint,
    endpoint: &model::Endpoint,
    prefix: &str,
    ids: &mut std::collections::HashSet<String>,
) -> Option<(Endpoint, Arc<Measured>)> {
    let metric = blueprint.metric(&endpoint.metric).cloned()?;
    let id = super::unique(format!("{prefix}{}", metric.name), ids);
    let route = Measured { records: Arc::clone(records), metric, scope: endpoint.scope.clone(), reply: reply(blueprint, endpoint) };
    Some((described(blueprint, endpoint, &route, id), Arc::new(route)))
}

pub(super) async fn measure(State(route): State<Arc<Measured>>, Auth(caller): Auth, asked: Asked) -> Result<Response> {
    let scope = caller.allow_scope(&route.scope)?;
    let subject = asked.names.first().map(|(_, name)| name.clone());
    let (query, mut texts) = read(&route.metric, subject, &asked.query)?;
    let form = figures_table::form(&texts)?;
    let measured = route.records.measure(&scope, &route.metric.name, query).await?;
    if form != Form::Json {
        return Ok(figures_table::table(&route.metric, measured, form));
    }
    let now = measured.now;
    if route.reply.template().is_none() {
        let status = route.reply.status().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
        return Ok((status, Json(enveloped(&route.metric, route.reply.wrap, measured))).into_response());
    }
    if let Some(name) = &measured.period {
        texts.entry("period").or_insert_with(|| name.as_str().into());
    }
    route.reply.send_with(Found::One(plain(&route.metric, measured)), &asked, &Value::Object(texts), now)
}

/// The query of a metric, and its texts by name.
///
/// Error: 422 `validation_failed`, for what is given twice or is no parameter.
pub(crate) fn read(metric: &Metric, subject: Option<String>, query: &str) -> kernel::Result<(MetricQuery, Map<String, Value>)> {
    let mut out = MetricQuery { subject, ..MetricQuery::default() };
    let mut texts = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if texts.insert(name.to_string(), value.to_string().into()).is_some() {
            return Err(Error::field(pointer(&name), "must be given once"));
        }
        let slot = match name.as_ref() {
            "period" => &mut out.period,
            "from" => &mut out.from,
            "to" => &mut out.to,
            "timezone" => &mut out.timezone,
            "bucket" if metric.series.is_some() => &mut out.bucket,
            "limit" if metric.series.is_some() => &mut out.limit,
            "format" => continue,
            other if metric.filters.iter().any(|filter| filter == other) => {
                out.filters.push((other.to_owned(), value.into_owned()));
                continue;
            }
            other => {
                let known = parameters(metric).into_iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
                return Err(Error::field(pointer(other), format!("is no parameter here; there are {known}")));
            }
        };
        *slot = Some(value.into_owned());
    }
    Ok((out, texts))
}

fn pointer(name: &str) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    format!("/{}", shown.replace('~', "~0").replace('/', "~1"))
}

/// The answer in the product's envelope.
fn enveloped(metric: &Metric, wrap: Wrap, measured: Measurement) -> Value {
    match (wrap.envelope, metric.answer) {
        (Envelope::Plain, _) => plain(metric, measured),
        (Envelope::Success, MetricAnswer::Series) => json!({"success": true, "data": measured.series.unwrap_or_default()}),
        (Envelope::Success, MetricAnswer::Totals) => {
            let period = measured.period.clone().map_or_else(|| json!({"from": measured.from, "to": measured.until}), Value::from);
            let mut data = measured.totals;
            data.extend(measured.series.map(|series| ("series".to_owned(), Value::Array(series))));
            json!({"success": true, "data": data, "period": period})
        }
    }
}

/// The answer in the native form: the figures, `series` and `period`; or `data` and `period`, where the series is the answer.
pub(crate) fn plain(metric: &Metric, measured: Measurement) -> Value {
    let mut period = Map::new();
    period.extend(measured.period.map(|name| ("name".to_owned(), name.into())));
    period.insert("from".into(), measured.from.to_string().into());
    period.insert("to".into(), measured.until.to_string().into());
    period.insert("timezone".into(), measured.timezone.into());
    period.extend(measured.bucket.map(|bucket| ("bucket".to_owned(), bucket.name().into())));
    let series = measured.series.map(Value::Array);
    let mut out = match metric.answer {
        MetricAnswer::Totals => {
            let mut out = measured.totals;
            out.extend(series.map(|series| ("series".to_owned(), series)));
            out
        }
        MetricAnswer::Series => Map::from_iter([("data".to_owned(), series.unwrap_or_default())]),
    };
    out.insert("period".into(), Value::Object(period));
    Value::Object(out)
}

/// The query parameters of a metric.
pub(crate) fn parameters(metric: &Metric) -> Vec<Parameter> {
    let word = |values: Vec<String>| json!({"type": "string", "enum": values});
    let periods: Vec<String> = metric.periods.iter().map(ToString::to_string).collect();
    let about = format!("The time up to now that is looked at. Default: {}", metric.default_period);
    let period = Parameter::new("period", about);
    let mut list = vec![if periods.is_empty() {
        period.schema(json!({"type": "string", "pattern": "^[1-9][0-9]{0,3}[hdwmy]$"}))
    } else {
        period.schema(word(periods))
    }];
    list.push(Parameter::new("from", "In place of period: since when, a time or a day (2026-01-31)"));
    list.push(Parameter::new("to", "Until when: a time (not included) or a day (included). Default: now"));
    list.push(Parameter::new("timezone", format!("The IANA time zone of days and buckets. Default: {}", metric.timezone)));
    if let Some(series) = &metric.series {
        let names = series.buckets.iter().map(|bucket| bucket.name().to_owned()).collect();
        list.push(Parameter::new("bucket", format!("The buckets of the series. Default: {}", series.bucket.name())).schema(word(names)));
        let most = series.limit.unwrap_or(1000);
        let limit = Parameter::new("limit", "Only so many buckets, the newest ones");
        list.push(limit.schema(json!({"type": "integer", "minimum": 1, "maximum": most})));
    }
    list.push(
        Parameter::new("format", "json, or a table: csv or ndjson, a row for each bucket or one of totals").schema(json!({"enum": FORMS})),
    );
    list.extend(metric.filters.iter().map(|name| Parameter::new(name.clone(), format!("Only records whose {name} is this"))));
    list
}

/// What the documents say of an endpoint that serves a metric.
fn described(blueprint: &Blueprint, endpoint: &model::Endpoint, route: &Measured, id: String) -> Endpoint {
    let (metric, wrap) = (&route.metric, route.reply.wrap);
    let tag = blueprint.resource(&metric.resource).map_or_else(String::new, |resource| shapes::title(&resource.plural));
    let described =
        describe::begin(blueprint, endpoint, describe::access(endpoint), &endpoint.scope, id).tag(tag).describe(metric.description.clone());
    let described = parameters(metric).into_iter().fold(described, Endpoint::parameter);
    let named = || json!({"$ref": format!("#/components/schemas/{}", component_name(blueprint, metric))});
    let whole = match (route.reply.template(), wrap.envelope, metric.answer) {
        (Some(template), ..) => template.schema(&schema(metric)),
        (None, Envelope::Plain, _) => named(),
        (None, Envelope::Success, MetricAnswer::Series) => wrap.one_schema(named()),
        (None, Envelope::Success, MetricAnswer::Totals) => {
            let mut whole = wrap.one_schema(named());
            whole["properties"]["period"] = json!({"description": "The period, by its name or its bounds"});
            whole
        }
    };
    let status = route.reply.status().unwrap_or(200);
    described.answers_schema(status, whole).answers_media(status, "text/csv").answers_media(status, "application/x-ndjson")
}

/// What the document calls the figures: by the metric's name, unless a resource type has it.
fn component_name(blueprint: &Blueprint, metric: &Metric) -> String {
    let name = shapes::title(&metric.name);
    let taken = name == "Error" || blueprint.resources.iter().any(|resource| shapes::title(&resource.name) == name);
    if taken { format!("{name}Figures") } else { name }
}

/// The figures of every metric by the names that the document has for them, as the product's envelope wraps them.
pub(crate) fn components(blueprint: &Blueprint) -> impl Iterator<Item = (String, Value)> {
    blueprint.metrics.iter().map(|metric| {
        let mut figures = schema(metric);
        match (blueprint.style.envelope, metric.answer) {
            (Envelope::Plain, _) => {}
            (Envelope::Success, MetricAnswer::Series) => figures = figures["properties"]["data"].take(),
            (Envelope::Success, MetricAnswer::Totals) => {
                figures["properties"].as_object_mut().map(|members| members.shift_remove("period"));
                if let Some(names) = figures["required"].as_array_mut() {
                    names.retain(|name| name != "period");
                }
            }
        }
        (component_name(blueprint, metric), figures)
    })
}

/// The JSON Schema of [`plain`].
fn schema(metric: &Metric) -> Value {
    let figures = |wanted: fn(&Figure) -> bool| -> Map<String, Value> {
        metric.figures.iter().filter(|figure| wanted(figure)).map(|figure| (figure.name.clone(), of_figure(figure))).collect()
    };
    let object = |members: Map<String, Value>| {
        let names: Vec<String> = members.keys().cloned().collect();
        json!({"type": "object", "required": names, "properties": members})
    };
    let time = || json!({"type": "string", "format": "date-time"});
    let series = metric.series.as_ref().map(|series| {
        let mut members = Map::new();
        match &series.label {
            Some(_) => members.extend([("period".to_owned(), json!({"type": "string"}))]),
            None => members.extend([("from".to_owned(), time()), ("to".to_owned(), time())]),
        }
        members.extend(figures(|figure| figure.in_series));
        json!({"type": "array", "items": object(members)})
    });
    let period = json!({
        "type": "object",
        "required": ["from", "to", "timezone"],
        "properties": {"name": {"type": "string"}, "from": time(), "to": time(), "timezone": {"type": "string"}, "bucket": {"type": "string"}},
    });
    let mut members = match metric.answer {
        MetricAnswer::Totals => figures(|figure| figure.in_totals),
        MetricAnswer::Series => Map::new(),
    };
    let name = if metric.answer == MetricAnswer::Series { "data" } else { "series" };
    members.extend(series.map(|series| (name.to_owned(), series)));
    members.insert("period".into(), period);
    object(members)
}

fn of_figure(figure: &Figure) -> Value {
    let whole = figure.of == Aggregate::Count;
    let mut types = vec![if whole { "integer" } else { "number" }];
    if figure.empty.is_null() {
        types.push("null");
    }
    let one = json!({"type": types});
    match &figure.by {
        None => one,
        Some(_) => json!({"type": "object", "additionalProperties": one}),
    }
}
