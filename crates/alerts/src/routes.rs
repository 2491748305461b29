//! The HTTP surface.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::{Alert, AlertRule, AlertRuleInput, Alerts, Mute, alerts, rules};

const ONE: &str = "/api/v1/alerts/{id}";

fn reading(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Alerts").needs(Access::Permission(Permission::AlertsRead))
}

fn writing(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Alerts").needs(Access::Permission(Permission::AlertsWrite))
}

impl Alerts {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        let list = reading(Endpoint::get("/api/v1/alerts", "alerts.list"))
            .summary("List alerts, the newest first")
            .query(&[
                ("status", "Only those that are open, acknowledged or closed"),
                ("rule", "Only alerts of this rule"),
                ("severity", "Only info, warning or critical ones"),
            ])
            .paged()
            .answers_page::<Alert>();
        let get = reading(Endpoint::get(ONE, "alerts.get")).summary("Get an alert").answers::<Alert>(200);
        let act = |verb: &str, about: &str| {
            writing(Endpoint::post(format!("{ONE}/{verb}"), format!("alerts.{verb}"))).summary(about).answers::<Alert>(200)
        };
        let list_rules = reading(Endpoint::get("/api/v1/alert-rules", "alert_rules.list"))
            .summary("List what is watched, and from where on it is an alert")
            .answers_page::<AlertRule>();
        let set_rule = writing(Endpoint::put("/api/v1/alert-rules/{rule}", "alert_rules.replace"))
            .summary("Set a rule's figures; what is left out is as usual")
            .body::<AlertRuleInput>()
            .answers::<AlertRule>(200);
        Api::new()
            .route(list, alerts::list, Arc::clone(self))
            .route(get, alerts::get, Arc::clone(self))
            .route(act("acknowledge", "Say that somebody has taken an alert up"), alerts::acknowledge, Arc::clone(self))
            .route(act("resolve", "Close an alert by hand"), alerts::resolve, Arc::clone(self))
            .route(act("mute", "Tell nothing about an alert until then").body::<Mute>(), alerts::mute, Arc::clone(self))
            .route(list_rules, rules::list, Arc::clone(self))
            .route(set_rule, rules::replace, Arc::clone(self))
    }
}
