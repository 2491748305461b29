//! What comes in by POST and GET.

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use kernel::{Caller, Error, Kind, Secret};
use serde_json::Value;
use web::{Auth, read_body};

use super::media::Media;
use super::{Direct, Flowing, answers, stream};
use crate::Graphql;
use crate::failure::Failure;
use crate::operate::{Allowed, Reply, Session};
use crate::params::Params;

/// Largest body, in bytes: a document and its variables, perhaps of several operations.
const MAX_BODY: usize = 1024 * 1024;
/// Most operations of one request.
const MAX_BATCH: usize = 10;

/// Largest body, for the endpoint's description.
pub(crate) const fn body() -> usize {
    MAX_BODY
}

/// `POST /graphql`: one operation, or a list of them.
pub(crate) async fn post(State(graphql): State<Arc<Graphql>>, Auth(caller): Auth, request: Request) -> web::Result<Response> {
    let (parts, body) = request.into_parts();
    let media = media(&parts.headers)?;
    json_only(&parts.headers)?;
    let bytes = read_body(body, MAX_BODY).await?;
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Error::malformed("malformed_json", "The body is not JSON.").caused_by(error.to_string()))?;
    let session = session(caller, &parts.headers);
    match value {
        Value::Array(items) => batch(&graphql, &session, media, items).await,
        one => answered(&graphql, &session, media, Params::of_json(one), true, &parts).await,
    }
}

/// `GET /graphql`: a query, or a subscription as events.
pub(crate) async fn get(State(graphql): State<Arc<Graphql>>, Auth(caller): Auth, request: Request) -> web::Result<Response> {
    let (parts, _) = request.into_parts();
    let media = media(&parts.headers)?;
    let session = session(caller, &parts.headers);
    let params = Params::of_query(parts.uri.query().unwrap_or_default());
    answered(&graphql, &session, media, params, false, &parts).await
}

/// The beginning of a WebSocket: that the credential is good is all that there is to say.
pub(crate) async fn connect(Auth(caller): Auth) -> web::Result<StatusCode> {
    caller.tenant_scope()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn answered(
    graphql: &Arc<Graphql>,
    session: &Session,
    media: Media,
    params: Result<Params, Failure>,
    mutations: bool,
    parts: &Parts,
) -> web::Result<Response> {
    let direct = parts.extensions.get::<Direct>().is_some();
    let allowed = Allowed { mutations, streams: direct || media == Media::Events, is_counted: true };
    let reply = match params {
        Ok(params) => graphql.operate(session, params, allowed).await?,
        Err(failure) => Reply::Refused(vec![failure]),
    };
    Ok(match reply {
        Reply::Flows(flow) if direct => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(Flowing(Arc::new(Mutex::new(Some(flow)))));
            response
        }
        Reply::Flows(flow) => stream::flow(flow),
        // What was asked wrongly is no stream; what became of a good question is.
        reply if media == Media::Events && !is_malformed(&reply) => stream::single(&answers::value(&reply).0),
        reply => answers::one(if media == Media::Events { Media::Graphql } else { media }, &reply),
    })
}

fn is_malformed(reply: &Reply) -> bool {
    let code = |failure: &Failure| matches!(failure.code(), "graphql_request_invalid" | "method_not_allowed");
    matches!(reply, Reply::Refused(failures) if failures.iter().any(code))
}

async fn batch(graphql: &Arc<Graphql>, session: &Session, media: Media, items: Vec<Value>) -> web::Result<Response> {
    let media = if media == Media::Events { Media::Graphql } else { media };
    if items.is_empty() || items.len() > MAX_BATCH {
        let failure = Failure::new("graphql_batch_too_large", format!("A list has 1 to {MAX_BATCH} operations."));
        return Ok(answers::one(media, &Reply::Refused(vec![failure])));
    }
    let mut out = Vec::with_capacity(items.len());
    for (n, item) in items.into_iter().enumerate() {
        let allowed = Allowed { mutations: true, streams: false, is_counted: n == 0 };
        // The answer is kept whole; what each changes is kept with the change.
        let reply = match Params::of_json(item) {
            Ok(params) => graphql.operate(&session.of_part(n), params, allowed).await,
            Err(failure) => Ok(Reply::Refused(vec![failure])),
        };
        out.push(match reply {
            Ok(reply) => answers::value(&reply).0,
            Err(error) if n == 0 => return Err(error.into()),
            // What ran before has run.
            Err(error) => crate::operate::refusal(&[Failure::of(&error)]),
        });
    }
    Ok(answers::response(media, StatusCode::OK, &Value::Array(out)))
}

/// The form of the answer. Error: 406 `not_acceptable`.
fn media(headers: &HeaderMap) -> Result<Media, Error> {
    let text = "There are application/graphql-response+json, application/json and text/event-stream.";
    Media::wanted(headers).ok_or_else(|| Error::new(Kind::Malformed, "not_acceptable", text))
}

/// Error: 415 `unsupported_media_type`.
fn json_only(headers: &HeaderMap) -> Result<(), Error> {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let charset = parts.find_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_ascii_lowercase()));
    if is_json && charset.is_none_or(|charset| charset == "utf-8" || charset == "utf8") {
        return Ok(());
    }
    Err(Error::new(Kind::UnsupportedMedia, "unsupported_media_type", "Send JSON, with Content-Type: application/json."))
}

/// Who asks, with what is needed to judge the credential again.
fn session(caller: Caller, headers: &HeaderMap) -> Session {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|text| text.split_once(' ')).map(|(_, token)| token.trim().to_owned());
    let second = text("x-api-secret").map(|text| Secret::new(text.to_owned()));
    Session { caller, credential: bearer.map(|bearer| (Secret::new(bearer), second)) }
}
