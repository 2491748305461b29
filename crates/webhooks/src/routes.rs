//! The HTTP surface. A webhook is reached below its client and by its id alone.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::subscriptions::{self, Change};
use crate::{
    RotateSecret, RotatedSecret, TestResult, Webhook, WebhookInput, WebhookPatch, WebhookSecrets, Webhooks, deliveries, replays,
    signing_keys, stats, transforms,
};

/// Below a client.
const NESTED: &str = "/api/v1/api-clients/{id}/webhooks";
/// By id alone.
const FLAT: &str = "/api/v1/webhooks";

fn reading(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Webhooks").needs(Access::Permission(Permission::WebhooksRead))
}

fn writing(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Webhooks").needs(Access::Permission(Permission::WebhooksWrite))
}

/// The path and the operation id of both forms.
fn one(form: &str, tail: &str) -> String {
    if form == NESTED { format!("{NESTED}/{{webhookId}}{tail}") } else { format!("{FLAT}/{{webhookId}}{tail}") }
}

fn id(form: &str, operation: &str) -> String {
    if form == NESTED { format!("clients.webhooks.{operation}") } else { format!("webhooks.{operation}") }
}

impl Webhooks {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        let collection = Api::new()
            .route(
                writing(Endpoint::post(NESTED, "webhooks.create"))
                    .summary("Make a webhook; the answer carries its secret, this once")
                    .body::<WebhookInput>()
                    .answers::<Webhook>(201),
                subscriptions::create,
                Arc::clone(self),
            )
            .route(
                reading(Endpoint::get(NESTED, "webhooks.list")).summary("List a client's webhooks").paged().answers_page::<Webhook>(),
                subscriptions::list,
                Arc::clone(self),
            );
        collection
            .merge(self.item_routes())
            .merge(self.act_routes())
            .merge(self.state_routes())
            .merge(deliveries::routes(self))
            .merge(transforms::routes(self))
            .merge(signing_keys::routes(self))
            .merge(replays::routes(self))
            .merge(stats::routes(self))
    }

    fn item_routes(self: &Arc<Self>) -> Api {
        let get = |form| reading(Endpoint::get(one(form, ""), id(form, "get"))).summary("Get a webhook").answers::<Webhook>(200);
        let put = |form| {
            let endpoint = writing(Endpoint::put(one(form, ""), id(form, "replace")));
            endpoint.summary("Replace a webhook's settings").body::<WebhookInput>().answers::<Webhook>(200)
        };
        let patch = |form| {
            let endpoint = writing(Endpoint::patch(one(form, ""), id(form, "update")));
            endpoint.summary("Change a webhook").body::<WebhookPatch>().answers::<Webhook>(200)
        };
        let delete = |form| writing(Endpoint::delete(one(form, ""), id(form, "delete"))).summary("Delete a webhook").answers_nothing();
        Api::new()
            .route(get(NESTED), subscriptions::get, Arc::clone(self))
            .route(get(FLAT), subscriptions::get_flat, Arc::clone(self))
            .route(put(NESTED), subscriptions::replace, Arc::clone(self))
            .route(put(FLAT), subscriptions::replace_flat, Arc::clone(self))
            .route(patch(NESTED), subscriptions::update, Arc::clone(self))
            .route(patch(FLAT), subscriptions::update_flat, Arc::clone(self))
            .route(delete(NESTED), subscriptions::delete, Arc::clone(self))
            .route(delete(FLAT), subscriptions::delete_flat, Arc::clone(self))
    }

    fn act_routes(self: &Arc<Self>) -> Api {
        let test = |form| {
            let endpoint = writing(Endpoint::post(one(form, "/test"), id(form, "test")));
            endpoint.summary("Send a test delivery at once").answers::<TestResult>(200)
        };
        let rotate = |form| {
            let endpoint = writing(Endpoint::post(one(form, "/rotate-secret"), id(form, "rotate_secret")));
            endpoint.summary("Replace a webhook's secret, with an overlap").body::<RotateSecret>().answers::<RotatedSecret>(200)
        };
        let secrets = |form| {
            let endpoint = reading(Endpoint::get(one(form, "/secrets"), id(form, "secrets")));
            endpoint.summary("What signs a webhook's deliveries, without the secrets").answers::<WebhookSecrets>(200)
        };
        Api::new()
            .route(secrets(NESTED), subscriptions::secrets, Arc::clone(self))
            .route(secrets(FLAT), subscriptions::secrets_flat, Arc::clone(self))
            .route(test(NESTED), subscriptions::test, Arc::clone(self))
            .route(test(FLAT), subscriptions::test_flat, Arc::clone(self))
            .route(rotate(NESTED), subscriptions::rotate_secret, Arc::clone(self))
            .route(rotate(FLAT), subscriptions::rotate_secret_flat, Arc::clone(self))
    }

    fn state_routes(self: &Arc<Self>) -> Api {
        let summaries = [
            (Change::Enable, "Enable a webhook"),
            (Change::Disable, "Disable a webhook; what is pending is skipped"),
            (Change::Pause, "Pause a webhook; its deliveries wait"),
            (Change::Resume, "Resume a paused webhook"),
        ];
        summaries.into_iter().fold(Api::new(), |api, (change, summary)| {
            let endpoint = |form| {
                let (path, name) = (one(form, &format!("/{}", change.name())), id(form, change.name()));
                writing(Endpoint::post(path, name)).summary(summary).answers::<Webhook>(200)
            };
            api.route(endpoint(NESTED), subscriptions::set_state, (Arc::clone(self), change)).route(
                endpoint(FLAT),
                subscriptions::set_state_flat,
                (Arc::clone(self), change),
            )
        })
    }
}
