//! The protocol's side: which tools there are, and how one is called.

use std::sync::{Arc, Mutex, PoisonError};

use access::Principal;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use gate::AskedAs;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use kernel::{Caller, Error, IdRef, Result, TenantId};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, Extensions, Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value};
use tower::ServiceExt as _;
use web::{Failure, PeerAddress, ProxyAddress, RequestIdentity, RequestNote};

use crate::entrance::PATH;
use crate::tools::Tool;
use crate::{Mcp, answer, call};

/// What passes between the request at the door and the tool that it calls.
#[derive(Default)]
pub(crate) struct Slot {
    prepared: Mutex<Option<Request<Body>>>,
    seen: Mutex<Seen>,
}

/// What is to be seen of the inner answer from outside.
#[derive(Default)]
struct Seen {
    headers: HeaderMap,
    note: Option<RequestNote>,
    /// The answer to a credential that is not known: it is the answer to the whole request.
    unknown: Option<Response>,
}

impl Slot {
    pub(crate) fn with(prepared: Request<Body>) -> Arc<Self> {
        Arc::new(Self { prepared: Mutex::new(Some(prepared)), seen: Mutex::default() })
    }

    fn take(&self) -> Option<Request<Body>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn saw(&self, response: &Response) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |name: &HeaderName| {
            name.as_str().starts_with("x-ratelimit") || name.as_str().starts_with("ratelimit") || *name == "idempotent-replayed"
        };
        for (name, value) in response.headers().iter().filter(|(name, _)| told(name)) {
            seen.headers.append(name, value.clone());
        }
        seen.note = response.extensions().get::<RequestNote>().cloned();
    }

    /// The answer to the whole request, given the protocol's.
    pub(crate) fn finish(&self, mut answer: Response) -> Response {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(unknown) = seen.unknown {
            return unknown;
        }
        answer.headers_mut().extend(seen.headers);
        if let Some(note) = seen.note {
            answer.extensions_mut().insert(note);
        }
        answer
    }
}

/// The library's service for one message. It holds nothing but the server, so making one costs little.
pub(crate) fn service(mcp: &Arc<Mcp>) -> StreamableHttpService<Server, NeverSessionManager> {
    let mcp = Arc::clone(mcp);
    // Which host and origin may call is checked at the door, which knows them.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(crate::MAX_MESSAGE)
        .disable_allowed_hosts()
        .disable_allowed_origins();
    StreamableHttpService::new(move || Ok(Server(Arc::clone(&mcp))), Arc::new(NeverSessionManager::default()), config)
}

/// Answers one message.
pub(crate) struct Server(Arc<Mcp>);

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let options = &self.0.options;
        let implementation = Implementation::new(options.title.clone(), options.version.clone());
        let words = format!(
            "{}\n\nEach tool is one endpoint of the API. Lists answer a page: go on with the cursor of its pagination. An error has a code; \
             when it is rate_limited, wait as long as it says. Send an Idempotency-Key with what must not happen twice.",
            options.description
        );
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(implementation).with_instructions(words)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let parts = parts(&context.extensions)?;
        let tools = self.0.open_tools(parts).await.map_err(data)?;
        Ok(ListToolsResult::with_all_items(tools.iter().map(|tool| tool.described.clone()).collect()))
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let parts = parts(&context.extensions)?;
        let slot = parts.extensions.get::<Arc<Slot>>();
        if let Some((slot, prepared)) = slot.and_then(|slot| Some((slot, slot.take()?))) {
            return self.0.dispatch(prepared, parts, slot).await.map_err(data);
        }
        // It was not prepared: there is no such tool, or the arguments do not fit it.
        let tool = self.0.find(&request.name, &parts.headers).await.map_err(data)?;
        let Some(tool) = tool else {
            let name: String = request.name.chars().take(80).collect();
            return Err(ErrorData::invalid_params(format!("There is no tool {name:?}; tools/list names those that there are."), None));
        };
        match call::request(&tool, &request.arguments.unwrap_or_default(), &parts.headers) {
            Err(error) => Ok(answer::refused(&error).into()),
            Ok(prepared) => self.0.dispatch(prepared, parts, &Slot::default()).await.map_err(data),
        }
    }
}

impl Mcp {
    /// The request that a call stands for; none if there is no such tool or it does not fit.
    pub(crate) async fn prepare(&self, name: &str, arguments: &Map<String, Value>, headers: &HeaderMap) -> Option<Request<Body>> {
        let tool = self.find(name, headers).await.ok()??;
        call::request(&tool, arguments, headers).ok()
    }

    /// A tool by its name: one for everybody, or one of the caller's tenant.
    async fn find(&self, name: &str, headers: &HeaderMap) -> Result<Option<Arc<Tool>>> {
        let Some(catalogue) = self.catalogue() else { return Ok(None) };
        if let Some(tool) = catalogue.find(name) {
            return Ok(Some(Arc::clone(tool)));
        }
        let caller = self.caller(headers).await?;
        let own = catalogue.more(&(self.options.own)(caller).await?);
        Ok(own.into_iter().find(|tool| tool.described.name == name))
    }

    async fn open_tools(&self, parts: &Parts) -> Result<Vec<Arc<Tool>>> {
        let Some(catalogue) = self.catalogue() else { return Ok(Vec::new()) };
        let caller = parts.extensions.get::<Caller>().ok_or_else(|| Error::internal("the gate let nobody in"))?;
        let principal = self.principal(&parts.headers).await?;
        let own = catalogue.more(&(self.options.own)(caller.clone()).await?);
        let query = parts.uri.query().unwrap_or_default();
        let tags = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "tags");
        let tags: Vec<String> = tags.flat_map(|(_, list)| list.split(',').map(|tag| tag.trim().to_owned()).collect::<Vec<_>>()).collect();
        let wanted = catalogue.all().iter().chain(&own).filter(|tool| tool.is_of(&tags) && tool.is_open_to(caller, &principal));
        Ok(wanted.cloned().collect())
    }

    /// Calls an endpoint as a caller from outside does.
    async fn dispatch(&self, mut request: Request<Body>, outer: &Parts, slot: &Slot) -> Result<CallToolResponse> {
        let router = self.options.inside.router().ok_or_else(|| Error::unavailable("overloaded", "The server is starting. Try again."))?;
        if let Some(peer) = outer.extensions.get::<PeerAddress>() {
            request.extensions_mut().insert(*peer);
        }
        if let Some(proxy) = outer.extensions.get::<ProxyAddress>() {
            request.extensions_mut().insert(*proxy);
        }
        if let Some(identity) = outer.extensions.get::<RequestIdentity>() {
            request.extensions_mut().insert(*identity);
        }
        // A proof of the caller's names what the caller asked for.
        request.extensions_mut().insert(AskedAs { method: Method::POST, path: PATH });
        let Ok(response) = router.oneshot(request).await;
        slot.saw(&response);
        if response.status() == StatusCode::UNAUTHORIZED {
            slot.seen.lock().unwrap_or_else(PoisonError::into_inner).unknown = Some(response);
            return Err(Error::unauthenticated("invalid_credential", "This credential is not known."));
        }
        Ok(answer::of(response).await.into())
    }

    /// Whose credential a request carries.
    pub(crate) async fn principal(&self, headers: &HeaderMap) -> Result<Arc<Principal>> {
        let missing = || Error::unauthenticated("missing_credential", "Send a credential: Authorization: Bearer <key>.");
        let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
        let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
        // Whoever shows a token that is bound to a key proves the key at the gate, which every message passes.
        if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("dpop") {
            return Err(missing());
        }
        let secret = headers.get("x-api-secret").and_then(|value| value.to_str().ok());
        self.options.access.authenticate(token.trim(), secret).await
    }

    /// The same as a caller, for the tenant that a service key names.
    async fn caller(&self, headers: &HeaderMap) -> Result<Caller> {
        let caller = self.principal(headers).await?.caller();
        let Some(named) = headers.get("tradewind-tenant") else { return Ok(caller) };
        let no_such = || Error::not_found("tenant");
        let reference: IdRef<TenantId> = named.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(no_such)?;
        caller.acting_for(Some(self.options.access.tenant_ref(reference).await?))
    }
}

/// The HTTP request behind a message.
fn parts(extensions: &Extensions) -> Result<&Parts, ErrorData> {
    extensions.get::<Parts>().ok_or_else(|| ErrorData::internal_error("The message came without its request.", None))
}

/// An error of ours as one of the protocol's: with its code, and without its cause.
fn data(error: Error) -> ErrorData {
    let problem = web::problem_value(&error, None);
    if error.kind() == kernel::Kind::Internal {
        drop(Failure(error).into_response());
        return ErrorData::internal_error("Something went wrong in the server.", Some(problem));
    }
    ErrorData::invalid_request(error.detail().to_owned(), Some(problem))
}
