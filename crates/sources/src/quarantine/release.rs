//! `sources.quarantine.release`: a tenant takes a call in although it could not be verified: after a wrong secret was put right, for example.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use kernel::{CallId, Caller, Error, Permission, Result, SourceId, TenantId};
use store::Tx;

use super::{Row, sql};
use crate::Sources;
use crate::cache::Loaded;
use crate::calls::{Call, Outcome, Reading, emit_anyway, interpret};
use crate::sources::{Secrets, get_row};

impl Sources {
    /// Makes events of a quarantined call as if it had been good when it came, and takes it out of the quarantine. A call that came in by
    /// another way meanwhile adds nothing.
    ///
    /// Errors: 404; 409 `call_not_releasable` when not all of it was kept.
    pub async fn release(self: &Arc<Self>, caller: &Caller, source: SourceId, call: CallId) -> Result<Outcome> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let (tenant, sources) = (scope.tenant(), Arc::clone(self));
        self.store.answer(scope, move |tx| sources.release_in(tx, tenant, source, call)).await
    }

    fn release_in(&self, tx: &mut Tx<'_>, tenant: TenantId, source: SourceId, id: CallId) -> Result<Outcome> {
        let row = get_row(tx, tenant, source)?;
        let kept = sql::get(tx, tenant, source, id)?;
        if !kept.is_releasable() {
            let detail =
                "Not all of this call was kept: it was too long, or it was all in its query, which is masked. It cannot be released.";
            return Err(Error::conflict("call_not_releasable", detail));
        }
        // No secret is needed: nothing is verified here.
        let source = Loaded::of(tenant, row, Secrets::default(), true)?;
        let at = kept.received_at;
        let reading = interpret(&source, &again(kept)?, at)?;
        let found = match reading {
            Reading::Events(found) => found,
            Reading::Challenge(_) => Vec::new(),
        };
        let (mut wanted, filtered) = self.select(&source, found, at);
        for event in &mut wanted {
            // It happened when it came; it is accepted now.
            event.created_at = tx.now();
        }
        let outcome = emit_anyway(tx, &self.events, wanted)?;
        sql::delete(tx, tenant, source.id, id)?;
        tx.audit("quarantined_call.release", id)?;
        Ok(Outcome { filtered, ..outcome })
    }
}

/// The call as it was, as far as it is needed to be read.
fn again(row: Row) -> Result<Call> {
    let mut headers = HeaderMap::new();
    for (name, value) in row.headers.as_object().into_iter().flatten() {
        let pair = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str().unwrap_or_default()));
        if let (Ok(name), Ok(value)) = pair {
            headers.insert(name, value);
        }
    }
    let method = Method::try_from(row.method.as_str()).map_err(Error::internal)?;
    Ok(Call { method, query: row.query, headers, body: row.body.into() })
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path2(source, call): web::Path2<SourceId, CallId>,
) -> web::Result<web::Json<Outcome>> {
    Ok(web::Json(sources.release(&caller, source, call).await?))
}
