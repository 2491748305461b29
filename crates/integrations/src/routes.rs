//! The HTTP surface.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::Integrations;
use crate::custom::{self, CustomConnector, CustomConnectorInput};
use crate::inbound::{self, MAX_BODY};
use crate::integrations::{self, CallEntry, Health, Integration, IntegrationInput, IntegrationPatch, TestResult};
use crate::marketplace::{self, Entry, Listing};
use crate::objects::{self, Described, Objects};
use crate::previews::{self, Preview, PreviewInput};

const ALL: &str = "/api/v1/integrations";
const ONE: &str = "/api/v1/integrations/{id}";
const OBJECT: &str = "/api/v1/integrations/{id}/objects/{object}";
const CONNECTORS: &str = "/api/v1/connectors";
const CONNECTOR: &str = "/api/v1/connectors/{connector}";

fn reading(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Integrations").needs(Access::Permission(Permission::IntegrationsRead))
}

fn writing(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Integrations").needs(Access::Permission(Permission::IntegrationsWrite))
}

impl Integrations {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        self.resource_routes()
            .merge(self.watching_routes())
            .merge(self.object_routes())
            .merge(self.connector_routes())
            .merge(self.receiving_routes())
    }

    fn resource_routes(self: &Arc<Self>) -> Api {
        let create = writing(Endpoint::post(ALL, "integrations.create"))
            .summary("Make an integration: a connector with configuration and credentials")
            .body::<IntegrationInput>()
            .answers::<Integration>(201);
        let list = reading(Endpoint::get(ALL, "integrations.list"))
            .summary("List integrations, the newest first")
            .query(&[("connector", "only integrations of this connector")])
            .paged()
            .answers_page::<Integration>();
        let get = reading(Endpoint::get(ONE, "integrations.get")).summary("Get an integration").answers::<Integration>(200);
        let update = writing(Endpoint::patch(ONE, "integrations.update"))
            .summary("Change an integration")
            .body::<IntegrationPatch>()
            .answers::<Integration>(200);
        let delete = writing(Endpoint::delete(ONE, "integrations.delete"))
            .summary("Delete an integration that no sync uses")
            .fails(&[409])
            .answers_nothing();
        Api::new()
            .route(create, integrations::create, Arc::clone(self))
            .route(list, integrations::list, Arc::clone(self))
            .route(get, integrations::get, Arc::clone(self))
            .route(update, integrations::update, Arc::clone(self))
            .route(delete, integrations::delete, Arc::clone(self))
    }

    fn watching_routes(self: &Arc<Self>) -> Api {
        let test = writing(Endpoint::post(format!("{ONE}/test"), "integrations.test"))
            .summary("Try one harmless call; the answer shows it without secrets")
            .answers::<TestResult>(200);
        let health = reading(Endpoint::get(format!("{ONE}/health"), "integrations.health"))
            .summary("How its calls went: error rate, latency, last success")
            .query(&[("hours", "how far to look back: 1 to 720, default 24")])
            .answers::<Health>(200);
        let logs = reading(Endpoint::get(format!("{ONE}/logs"), "integrations.logs"))
            .summary("Its last calls to the vendor, the newest first")
            .query(&[("success", "true: only good ones; false: only failures")])
            .paged()
            .answers_page::<CallEntry>();
        Api::new().route(test, integrations::test, Arc::clone(self)).route(health, integrations::health, Arc::clone(self)).route(
            logs,
            integrations::logs,
            Arc::clone(self),
        )
    }

    fn object_routes(self: &Arc<Self>) -> Api {
        let list = reading(Endpoint::get(format!("{ONE}/objects"), "integrations.objects.list"))
            .summary("The vendor's objects that can be synchronised")
            .answers::<Objects>(200);
        let get = reading(Endpoint::get(OBJECT, "integrations.objects.get"))
            .summary("An object's fields as they are today, what changed, and a proposed mapping")
            .query(&[("resourceType", "the resource type that a mapping is proposed for")])
            .answers::<Described>(200)
            .fails(&[502, 503]);
        let accept = writing(Endpoint::post(format!("{OBJECT}/accept"), "integrations.objects.accept"))
            .summary("Accept an object as it is today: drift is told from here on")
            .answers::<Described>(200)
            .fails(&[502, 503]);
        let preview = reading(Endpoint::post("/api/v1/mappings/preview", "mappings.preview"))
            .summary("Try a mapping on records, or on an integration's own")
            .body::<PreviewInput>()
            .answers::<Preview>(200);
        Api::new()
            .route(list, objects::list, Arc::clone(self))
            .route(get, objects::describe, Arc::clone(self))
            .route(accept, objects::accept, Arc::clone(self))
            .route(preview, previews::handle, Arc::clone(self))
    }

    fn connector_routes(self: &Arc<Self>) -> Api {
        let any = |endpoint: Endpoint| endpoint.tag("Integrations").needs(Access::AnyCredential);
        let catalogue =
            any(Endpoint::get("/api/v1/marketplace", "marketplace.list")).summary("The catalogue of connectors").answers::<Listing>(200);
        let entry = any(Endpoint::get("/api/v1/marketplace/{connector}", "marketplace.get"))
            .summary("A connector in the catalogue")
            .answers::<Entry>(200);
        let create = writing(Endpoint::post(CONNECTORS, "connectors.create"))
            .summary("Add a connector that a manifest describes, or a new version of it")
            .body::<CustomConnectorInput>()
            .answers::<CustomConnector>(201);
        let list = reading(Endpoint::get(CONNECTORS, "connectors.list"))
            .summary("List connectors that manifests describe")
            .paged()
            .answers_page::<CustomConnector>();
        let get = reading(Endpoint::get(CONNECTOR, "connectors.get")).summary("Get one with its manifest").answers::<CustomConnector>(200);
        let delete = writing(Endpoint::delete(CONNECTOR, "connectors.delete"))
            .summary("Delete one that nothing uses")
            .fails(&[409])
            .answers_nothing();
        Api::new()
            .route(catalogue, marketplace::list, Arc::clone(self))
            .route(entry, marketplace::get, Arc::clone(self))
            .route(create, custom::create, Arc::clone(self))
            .route(list, custom::list, Arc::clone(self))
            .route(get, custom::get, Arc::clone(self))
            .route(delete, custom::delete, Arc::clone(self))
    }

    /// Without a credential: the proof that a call carries is its authority.
    fn receiving_routes(self: &Arc<Self>) -> Api {
        let receiving = |path: &str, id: &str, summary: &str| {
            let endpoint = Endpoint::post(path, id).tag("Integrations").summary(summary).needs(Access::Public);
            endpoint.idempotent(false).body_limit(MAX_BODY).fails(&[401, 404, 413])
        };
        let own = receiving("/in/integrations/{id}", "integrations.receive", "Where a vendor calls about one integration");
        let app =
            receiving("/in/providers/{provider}", "integrations.receive_of_provider", "Where a vendor calls an app for all its accounts");
        Api::new().route(own, inbound::receive, Arc::clone(self)).route(app, inbound::receive_of_provider, Arc::clone(self))
    }
}
