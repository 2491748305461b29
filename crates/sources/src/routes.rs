//! The HTTP surface: the management of sources, their quarantine, and the receiving address.

use std::sync::Arc;

use http::Method;
use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::calls::{self, MAX_BODY, Outcome};
use crate::sources::{self, RotateSourceSecret, RotatedSourceSecret, Source, SourceInput, SourcePatch};
use crate::{QuarantinedCall, Sources, quarantine};

const ALL: &str = "/api/v1/sources";
const ONE: &str = "/api/v1/sources/{id}";
const QUARANTINE: &str = "/api/v1/sources/{id}/quarantine";
const CALL: &str = "/api/v1/sources/{id}/quarantine/{callId}";
const RELEASE: &str = "/api/v1/sources/{id}/quarantine/{callId}/release";
const RECEIVE: &str = "/in/{sourceId}";

fn reading(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Sources").needs(Access::Permission(Permission::WebhooksRead))
}

fn writing(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Sources").needs(Access::Permission(Permission::WebhooksWrite))
}

impl Sources {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        self.resource_routes().merge(self.quarantine_routes()).merge(self.receiving_routes())
    }

    fn resource_routes(self: &Arc<Self>) -> Api {
        let create = writing(Endpoint::post(ALL, "sources.create"))
            .summary("Make a source; a secret that we make is in this answer only")
            .body::<SourceInput>()
            .answers::<Source>(201);
        let list = reading(Endpoint::get(ALL, "sources.list")).summary("List sources, the newest first").paged().answers_page::<Source>();
        let get = reading(Endpoint::get(ONE, "sources.get")).summary("Get a source").answers::<Source>(200);
        let update =
            writing(Endpoint::patch(ONE, "sources.update")).summary("Change a source").body::<SourcePatch>().answers::<Source>(200);
        let delete = writing(Endpoint::delete(ONE, "sources.delete")).summary("Delete a source and its quarantine").answers_nothing();
        let rotate = writing(Endpoint::post(format!("{ONE}/rotate-secret"), "sources.rotate_secret"))
            .summary("Replace a source's secret, with an overlap")
            .body::<RotateSourceSecret>()
            .answers::<RotatedSourceSecret>(200);
        Api::new()
            .route(create, sources::create, Arc::clone(self))
            .route(list, sources::list, Arc::clone(self))
            .route(get, sources::get, Arc::clone(self))
            .route(update, sources::update, Arc::clone(self))
            .route(delete, sources::delete, Arc::clone(self))
            .route(rotate, sources::rotate_secret, Arc::clone(self))
    }

    fn quarantine_routes(self: &Arc<Self>) -> Api {
        let list = reading(Endpoint::get(QUARANTINE, "sources.quarantine.list"))
            .summary("List the calls that could not be verified, the newest first")
            .paged()
            .answers_page::<QuarantinedCall>();
        let empty = writing(Endpoint::delete(QUARANTINE, "sources.quarantine.empty")).summary("Delete all of them").answers_nothing();
        let get = reading(Endpoint::get(CALL, "sources.quarantine.get")).summary("Get one, with its body").answers::<QuarantinedCall>(200);
        let delete = writing(Endpoint::delete(CALL, "sources.quarantine.delete")).summary("Delete one").answers_nothing();
        let release = writing(Endpoint::post(RELEASE, "sources.quarantine.release"))
            .summary("Take one in although it could not be verified")
            .answers::<Outcome>(200);
        Api::new()
            .route(list, quarantine::list, Arc::clone(self))
            .route(empty, quarantine::empty, Arc::clone(self))
            .route(get, quarantine::get, Arc::clone(self))
            .route(delete, quarantine::delete, Arc::clone(self))
            .route(release, quarantine::release, Arc::clone(self))
    }

    /// Without a credential: the proof that a call carries is its authority.
    fn receiving_routes(self: &Arc<Self>) -> Api {
        let receiving = |method: Method, id: &str, summary: &str| {
            let endpoint = Endpoint::new(method, RECEIVE, id).tag("Sources").summary(summary).needs(Access::Public);
            endpoint.idempotent(false).body_limit(MAX_BODY).answers::<Outcome>(200).fails(&[400, 401, 405, 413, 429])
        };
        let post = receiving(Method::POST, "sources.receive", "Where a vendor calls; verified as the source's provider signs");
        let get = receiving(Method::GET, "sources.receive_get", "The same, for calls of Twilio's that use GET");
        Api::new().route(post, calls::handle, Arc::clone(self)).route(get, calls::handle, Arc::clone(self))
    }
}
