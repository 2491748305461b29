//! One operation, from its parameters to its answer: the tenant's schema, the document, the limits, the execution.

use std::sync::Arc;

use access::Access;
use async_graphql::parser::types::{OperationType, Selection, SelectionSet};
use kernel::{Caller, Error, RequestInfo, RequestSlot, Result, Secret, TenantId};
use serde_json::{Map, Value, json};

use crate::Graphql;
use crate::documents::coerce::{self, Variables};
use crate::documents::{self, Document};
use crate::execute::{self, Answer, Feed, Reader, Ready};
use crate::failure::Failure;
use crate::params::Params;
use crate::seats::Seat;
use crate::served::Offer;

/// So much complexity counts as one more request in limits and quotas.
const UNIT: u64 = 1000;

/// Who asks.
#[derive(Clone)]
pub(crate) struct Session {
    /// Who.
    pub(crate) caller: Caller,
    /// The credential as it was sent: bearer token, and the second secret. It is judged again while a subscription runs.
    pub(crate) credential: Option<(Secret<String>, Option<Secret<String>>)>,
}

impl Session {
    /// The same for one of several operations of a request, with an idempotency slot of its own.
    pub(crate) fn of_part(&self, n: usize) -> Self {
        let slot = slot(&self.caller).map(|slot| part_of(slot, &n.to_string()));
        Self { caller: with_slot(&self.caller, slot), credential: self.credential.clone() }
    }
}

/// What the way by which an operation came allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// Changes; a GET makes none.
    pub(crate) mutations: bool,
    /// Answers that go on.
    pub(crate) streams: bool,
    /// Whether the gate has counted this operation; it counts a request once.
    pub(crate) is_counted: bool,
}

/// What an operation comes to.
pub(crate) enum Reply {
    /// Nothing was executed.
    Refused(Vec<Failure>),
    /// It was executed.
    Answered(Answer),
    /// It goes on.
    Flows(Box<Flow>),
}

/// A subscription that runs.
pub(crate) struct Flow {
    graphql: Arc<Graphql>,
    offer: Offer,
    document: Document,
    operation: Option<String>,
    variables: Variables,
    feed: Feed,
    _seat: Seat,
}

impl Graphql {
    /// Runs an operation.
    ///
    /// Refused, beside what is wrong with it: `graphql_schema_outdated`. Errors: 422 `tenant_required`; 429 when it costs more than what is left; those of the store.
    pub(crate) async fn operate(self: &Arc<Self>, session: &Session, params: Params, allowed: Allowed) -> Result<Reply> {
        let tenant = session.caller.tenant_scope()?.tenant();
        let offer = self.offer(tenant).await?;
        if let Err(failure) = offer.check() {
            return Ok(Reply::Refused(vec![failure]));
        }
        let asked = match self.persisted.asked(tenant, &params) {
            Ok(asked) => asked,
            Err(failure) => return Ok(Reply::Refused(vec![failure])),
        };
        let operation = params.operation.as_deref();
        let (document, cost) = match offer.document(&asked.text, operation, &params.variables).await {
            Ok(found) => found,
            Err(failures) => return Ok(Reply::Refused(failures)),
        };
        self.persisted.keep(tenant, asked);
        let chosen = match documents::operation(&document, operation) {
            Ok(chosen) => chosen,
            Err(failure) => return Ok(Reply::Refused(vec![failure])),
        };
        if let Some(refused) = refused(chosen.node.ty, allowed) {
            return Ok(Reply::Refused(vec![refused]));
        }
        let variables = match coerce::variables(&offer.served.model, &chosen.node, &params.variables) {
            Ok(variables) => variables,
            Err(failures) => return Ok(Reply::Refused(failures)),
        };
        let units = cost.complexity.div_ceil(UNIT).max(1) - u64::from(allowed.is_counted);
        self.charge(session, units).await?;
        let ready =
            Ready { model: &offer.served.model, validator: &offer.served.validator, document: &document, operation: chosen, variables };
        if chosen.node.ty == OperationType::Subscription {
            return self.subscribe(session, tenant, &offer, &document, params.operation.clone(), ready).await;
        }
        let changes = roots(&chosen.node.selection_set.node);
        Ok(Reply::Answered(match chosen.node.ty {
            OperationType::Mutation if changes == 1 => execute::execute(&ready, &self.sources, &session.caller, None).await,
            OperationType::Mutation => execute::execute(&ready, &self.sources, &unslotted(&session.caller), slot(&session.caller)).await,
            _ => execute::execute(&ready, &self.sources, &unslotted(&session.caller), None).await,
        }))
    }

    async fn subscribe(
        self: &Arc<Self>,
        session: &Session,
        tenant: TenantId,
        offer: &Offer,
        document: &Document,
        operation: Option<String>,
        ready: Ready<'_>,
    ) -> Result<Reply> {
        let wish = match execute::wish(&ready) {
            Ok(wish) => wish,
            Err(failure) => return Ok(Reply::Refused(vec![failure])),
        };
        if session.caller.request().is_some_and(|request| request.slot.is_some()) {
            let detail = "A subscription has no answer that could be kept: send it without an Idempotency-Key.";
            return Ok(Reply::Refused(vec![Failure::new("graphql_request_invalid", detail)]));
        }
        let seat = self.seats.sit(tenant)?;
        let variables = ready.variables;
        let reader = Reader {
            caller: unslotted(&session.caller),
            credential: session.credential.clone(),
            access: Arc::clone(&self.access),
            tenant: Some(tenant),
        };
        let feed = match execute::feed(&self.sources.events, reader, wish).await {
            Ok(feed) => feed,
            Err(error) if error.kind() == kernel::Kind::Internal => return Err(error),
            Err(error) => return Ok(Reply::Refused(vec![Failure::of(&error)])),
        };
        let (graphql, offer, document) = (Arc::clone(self), offer.clone(), Arc::clone(document));
        let flow = Flow { graphql, offer, document, operation, variables, feed, _seat: seat };
        Ok(Reply::Flows(Box::new(flow)))
    }

    /// Counts what an operation costs beyond the request that the gate has counted.
    async fn charge(&self, session: &Session, units: u64) -> Result<()> {
        let Some((bearer, secret)) = session.credential.as_ref().filter(|_| units > 0) else { return Ok(()) };
        let principal = authenticate(&self.access, bearer, secret.as_ref()).await?;
        let charge = self.gate.charge(&principal, units, self.ambient.now()).await?;
        charge.as_ref().and_then(gate::Charge::error).map_or(Ok(()), Err)
    }
}

async fn authenticate(access: &Access, bearer: &Secret<String>, secret: Option<&Secret<String>>) -> Result<Arc<access::Principal>> {
    let secret = secret.map(|secret| secret.reveal().as_str());
    match access.try_authenticate_cached(bearer.reveal(), secret) {
        Some(known) => known,
        None => access.authenticate(bearer.reveal(), secret).await,
    }
}

/// Why an operation may not come this way.
fn refused(kind: OperationType, allowed: Allowed) -> Option<Failure> {
    match kind {
        OperationType::Mutation if !allowed.mutations => {
            Some(Failure::new("method_not_allowed", "A mutation changes something: send it by POST."))
        }
        OperationType::Subscription if !allowed.streams => {
            let detail = "A subscription goes on: ask for it with Accept: text/event-stream, or over a WebSocket.";
            Some(Failure::new("subscription_needs_stream", detail))
        }
        _ => None,
    }
}

/// How many fields a root selection has at most.
fn roots(set: &SelectionSet) -> usize {
    // What comes by fragments is counted as many.
    set.items.iter().map(|item| if matches!(item.node, Selection::Field(_)) { 1 } else { 2 }).sum()
}

/// The caller without an idempotency slot: an answer of several operations is kept whole by the gate, not one of them by the store.
fn unslotted(caller: &Caller) -> Caller {
    if slot(caller).is_some() { with_slot(caller, None) } else { caller.clone() }
}

fn with_slot(caller: &Caller, slot: Option<RequestSlot>) -> Caller {
    match caller.request() {
        Some(info) => {
            let own = RequestInfo { id: info.id, ip: info.ip, user_agent: info.user_agent.clone(), slot };
            caller.clone().in_request(Arc::new(own))
        }
        None => caller.clone(),
    }
}

fn slot(caller: &Caller) -> Option<&RequestSlot> {
    caller.request().and_then(|request| request.slot.as_ref())
}

/// The slot of one of several changes that a request is made of: each is one transaction, with what is kept of it, so that a request which was
/// cut off does the rest when it is sent again. No key of a caller has a line break: a part's slot is nobody else's.
pub(crate) fn part_of(whole: &RequestSlot, name: &str) -> RequestSlot {
    RequestSlot::new(format!("{}\n{name}", whole.key), whole.owner.clone(), whole.fingerprint)
}

impl Flow {
    /// The next answer; waits for it. None: the server stops.
    ///
    /// Errors: 401 and 403 when the credential is good no longer; those of the store.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>> {
        let mut closing = self.graphql.closing.subscribe();
        let event = tokio::select! {
            biased;
            () = async { drop(closing.wait_for(|closing| *closing).await) } => return Ok(None),
            event = self.feed.next() => event?,
        };
        let operation = documents::operation(&self.document, self.operation.as_deref());
        let operation = operation.map_err(|failure| Error::internal(failure.message().to_owned()))?;
        let served = &self.offer.served;
        let ready = Ready {
            model: &served.model,
            validator: &served.validator,
            document: &self.document,
            operation,
            variables: self.variables.clone(),
        };
        Ok(Some(execute::tell(&ready, &self.graphql.sources, self.feed.caller(), event).await.json()))
    }
}

impl Answer {
    /// As it goes over the wire.
    pub(crate) fn json(&self) -> Value {
        let mut out = Map::new();
        if !self.failures.is_empty() {
            out.insert("errors".into(), self.failures.iter().map(Failure::json).collect());
        }
        out.insert("data".into(), self.data.clone());
        Value::Object(out)
    }
}

/// What was not executed, as it goes over the wire.
pub(crate) fn refusal(failures: &[Failure]) -> Value {
    json!({"errors": failures.iter().map(Failure::json).collect::<Vec<_>>()})
}
