//! `manage`: an operation of the native API under names of the product's own.
//!
//! The caller's members get our names, the operation's own route is asked in this process with the caller's authority, and what it answers goes
//! through the endpoint's template. Nothing is decided here that the operation does not decide itself.

use std::sync::Arc;

use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use blueprint::Schema;
use blueprint::model::{ClientPlace, CredentialKind, ManageCall, ManagedClient};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use kernel::{Caller, Credential, Error, FieldError, Page, Pagination, Result};
use records::Records;
use serde_json::{Map, Value, json};
use web::{Auth, Inner};

use super::Asked;
use super::reply::{Found, Reply};
use crate::document::Document;

/// An endpoint that manages.
pub(super) struct Managed {
    pub(super) call: ManageCall,
    pub(super) scope: String,
    pub(super) reply: Reply,
    pub(super) schema: Option<Schema>,
    /// The operation's own route.
    pub(super) inner: Inner,
    /// Those that find and make the client.
    pub(super) clients: Clients,
    pub(super) records: Arc<Records>,
}

/// The native routes that find and make clients.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) get: Inner,
    pub(super) create: Inner,
}

impl Clients {
    /// Makes the client that self-service acts for, if the tenant has none of its name yet. It has all the product's scopes; what a caller may
    /// give away of them is decided where it is given.
    async fn ensure(&self, caller: &Caller, client: &ManagedClient) -> Result<String> {
        let reference = format!("ext:{}", client.external_id);
        let tenant = caller.tenant_scope()?.tenant();
        let system = || Caller::system("self-service", Some(tenant));
        match self.get.ask(system(), &[&reference], "", None).await {
            Ok(_) => return Ok(reference),
            Err(error) if error.kind() == kernel::Kind::NotFound => {}
            Err(error) => return Err(error),
        }
        let body = json!({"name": client.name, "externalId": client.external_id});
        match self.create.ask(system(), &[], "", Some(&body)).await {
            Ok(_) => Ok(reference),
            // Somebody else made it at the same time.
            Err(error) if error.code() == "external_id_taken" => Ok(reference),
            Err(error) => Err(error),
        }
    }
}

pub(super) async fn manage(
    State(managed): State<Arc<Managed>>,
    Auth(caller): Auth,
    asked: Asked,
    request: Request,
) -> web::Result<Response> {
    managed.admit(&caller)?;
    let parameters = managed.parameters(&asked)?;
    let mut body = managed.body(request).await?;
    let client = managed.client(&caller).await?;
    let mut names: Vec<&str> = asked.names.iter().map(|(_, name)| name.as_str()).collect();
    let mut query = managed.query(&parameters);
    match (managed.call.managed.client, &client) {
        (ClientPlace::Path, Some(client)) => names.insert(0, client),
        (ClientPlace::Body, Some(client)) => drop(body.get_or_insert_default().insert("clientId".into(), client.as_str().into())),
        (ClientPlace::Query, Some(client)) => query.push(("clientId".to_owned(), client.clone())),
        _ => {}
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let body = body.map(Value::Object);
    let answered = managed.inner.ask(caller, &names, &query, body.as_ref()).await.map_err(|error| managed.renamed(error))?;
    let found = found(answered).await?;
    managed.reply.send_with(found, &asked, &Value::Object(parameters), managed.records.now())
}

impl Managed {
    /// Errors: 403 `insufficient_scope`, `credential_not_accepted`.
    fn admit(&self, caller: &Caller) -> Result<()> {
        caller.require(self.call.managed.permission)?;
        caller.require_scope(&self.scope)?;
        let kind = match caller.credential() {
            Credential::Key { .. } | Credential::OAuthToken { .. } => CredentialKind::Partner,
            Credential::User { .. } => CredentialKind::Session,
            Credential::ServiceKey { .. } | Credential::System { .. } => CredentialKind::ServiceKey,
        };
        if self.call.credentials.is_empty() || self.call.credentials.contains(&kind) {
            return Ok(());
        }
        let detail = "This path is not for this sort of credential: sign in to the portal, or use a service key that names the tenant.";
        Err(Error::forbidden("credential_not_accepted", detail))
    }

    /// The query's parameters as the endpoint understands them. Those that it does not know are ignored. Error: 422 `validation_failed`.
    fn parameters(&self, asked: &Asked) -> Result<Map<String, Value>> {
        let mut given = asked.parameters();
        let mut known = Map::new();
        for query in &self.call.query {
            let value = given.shift_remove(&query.name).or_else(|| query.default.clone().map(Value::from));
            let Some(value) = value else { continue };
            if !query.allowed.is_empty() && !query.allowed.iter().any(|allowed| value == allowed.as_str()) {
                return Err(Error::field(format!("/{}", query.name), format!("must be one of {}", query.allowed.join(", "))));
            }
            known.insert(query.name.clone(), value);
        }
        Ok(known)
    }

    /// The same under our names.
    fn query(&self, parameters: &Map<String, Value>) -> Vec<(String, String)> {
        let native = |name: &str| self.call.query.iter().find(|query| query.name == name).map(|query| query.native.clone());
        parameters.iter().filter_map(|(name, value)| Some((native(name)?, value.as_str()?.to_owned()))).collect()
    }

    /// The body under our names; none, if the operation takes none.
    async fn body(&self, request: Request) -> Result<Option<Map<String, Value>>> {
        if self.call.body.is_empty() && self.call.fixed.is_empty() && self.call.managed.client != ClientPlace::Body {
            return Ok(None);
        }
        let sent = Option::<Document>::from_request(request, &()).await.map_err(|failure| failure.0)?;
        let sent = sent.map_or_else(Map::new, |Document(members)| members);
        let known = |name: &String| self.call.body.iter().any(|(wire, _)| wire == name);
        let unknown = sent.keys().filter(|name| !known(name));
        let mut faults: Vec<FieldError> =
            unknown.map(|name| FieldError { pointer: pointer(name), detail: "is not a known field".to_owned() }).collect();
        let sent = Value::Object(sent);
        if let (Some(schema), true) = (&self.schema, faults.is_empty()) {
            faults.extend(schema.check(&sent, ""));
        }
        if !faults.is_empty() {
            return Err(Error::invalid("validation_failed", "The request breaks a rule; see errors.").with_fields(faults));
        }
        let mut native = self.call.fixed.clone();
        for (wire, path) in &self.call.body {
            if let Some(value) = sent.get(wire) {
                put(&mut native, path, value.clone());
            }
        }
        Ok(Some(native))
    }

    /// The client that is acted for, as our routes name it. Error: 422 `client_required`.
    async fn client(&self, caller: &Caller) -> Result<Option<String>> {
        if let Some(client) = &self.call.client {
            return self.clients.ensure(caller, client).await.map(Some);
        }
        match (self.call.managed.client, caller.client()) {
            (ClientPlace::None, _) => Ok(None),
            (_, Some(client)) => Ok(Some(client.to_string())),
            (ClientPlace::Query, None) => Ok(None),
            (ClientPlace::Path | ClientPlace::Body, None) => {
                let detail = "This path acts for the client of the key that calls it: call it with an API key or an access token.";
                Err(Error::invalid("client_required", detail))
            }
        }
    }

    /// An error whose places have the caller's names.
    fn renamed(&self, error: Error) -> Error {
        let renamed = |field: &FieldError| FieldError {
            pointer: self.own_pointer(field.pointer.trim_start_matches('/')),
            detail: field.detail.clone(),
        };
        let fields: Vec<FieldError> = error.fields().iter().map(renamed).collect();
        if fields.is_empty() { error } else { error.with_fields(fields) }
    }

    /// `retryConfig/retryDelay` as `/retry_delay`.
    fn own_pointer(&self, native: &str) -> String {
        let query = self.call.query.iter().map(|query| (&query.name, &query.native));
        for (wire, path) in self.call.body.iter().map(|(wire, path)| (wire, path)).chain(query) {
            let path = path.replace('.', "/");
            if let Some(rest) = native.strip_prefix(&path).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                return format!("/{wire}{rest}");
            }
        }
        format!("/{native}")
    }
}

fn pointer(name: &str) -> String {
    let shown: String = name.chars().filter(|c| *c != '\0').take(80).collect();
    format!("/{}", shown.replace('~', "~0").replace('/', "~1"))
}

/// Puts a value at a dotted path, making objects on the way.
fn put(target: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(target.insert(path.to_owned(), value)),
        Some((first, rest)) => {
            let inner = target.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// What a native route answered.
async fn found(answered: Response) -> Result<Found> {
    let (head, body) = answered.into_parts();
    let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
    if bytes.is_empty() {
        return Ok(Found::Nothing);
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(Error::internal)?;
    if let Some(location) = location(&head.headers) {
        return Ok(Found::New(location, value));
    }
    Ok(match page(&value) {
        Some(page) => Found::Page(page),
        None => Found::One(value),
    })
}

fn location(headers: &HeaderMap) -> Option<String> {
    headers.get(header::LOCATION)?.to_str().ok().map(str::to_owned)
}

fn page(value: &Value) -> Option<Page<Value>> {
    let pagination: Pagination = serde_json::from_value(value.get("pagination")?.clone()).ok()?;
    Some(Page { data: value.get("data")?.as_array()?.clone(), pagination })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_paths_make_objects() {
        let mut target = Map::new();
        put(&mut target, "retryConfig.retryDelay", json!(5));
        put(&mut target, "retryConfig.maxRetries", json!(3));
        put(&mut target, "url", json!("x"));
        assert_eq!(Value::Object(target), json!({"retryConfig": {"retryDelay": 5, "maxRetries": 3}, "url": "x"}));
    }
}
