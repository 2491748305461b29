//! The five products: what a tenant of each has.

use serde_json::{Map, Value, json};

use crate::world::{Tenant, World, lead, text};

/// What the matrix must know of a product.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    /// A resource type that no other product has, by which it is known.
    mark: &'static str,
    /// The resource type that generic paths are tried with.
    pub(super) record: &'static str,
    /// An event type, and the member of its data that names a thing.
    pub(super) event: (&'static str, &'static str),
    /// Another, which nothing of what is tried here emits.
    pub(super) quiet: &'static str,
    /// Whether it has jobs.
    pub(super) has_jobs: bool,
}

const PRODUCTS: &[Product] = &[
    Product { mark: "policy", record: "lead", event: ("lead.created", "leadId"), quiet: "lead.converted", has_jobs: false },
    Product { mark: "profile", record: "lead", event: ("lead.created", "leadId"), quiet: "lead.converted", has_jobs: false },
    Product { mark: "company", record: "company", event: ("company.created", "companyId"), quiet: "simulation.failed", has_jobs: true },
    Product { mark: "ticket", record: "ticket", event: ("ticket.created", "ticketId"), quiet: "report.exported", has_jobs: false },
    Product { mark: "student", record: "student", event: ("student.enrolled", "studentId"), quiet: "invoice.issued", has_jobs: false },
];

impl Product {
    /// The product that `world` serves.
    pub(super) async fn of(world: &World) -> Self {
        let tenant = world.tenant("Whoever asks").await;
        for product in PRODUCTS {
            if tenant.host.get(&format!("/api/v1/records/{}", product.mark)).await.status == 200 {
                return *product;
            }
        }
        panic!("the matrix knows nothing of this blueprint: add it to PRODUCTS");
    }

    /// A good body of the record that generic paths are tried with.
    pub(super) fn body(&self) -> Value {
        match self.mark {
            "policy" => lead("Ada"),
            "profile" => json!({"first_name": "Grace"}),
            "company" => json!({"name": "Acme"}),
            "ticket" => json!({"subject": "Printer on fire"}),
            _ => json!({"firstName": "Ada"}),
        }
    }

    /// A change of it.
    pub(super) fn change(&self) -> Value {
        match self.mark {
            "policy" | "profile" => json!({"email": "ada@example.com"}),
            "company" => json!({"name": "Changed"}),
            "ticket" => json!({"subject": "Changed"}),
            _ => json!({"firstName": "Changed"}),
        }
    }

    /// One record of each type, by the id that paths name.
    pub(super) async fn records(&self, a: &Tenant) -> Map<String, Value> {
        let mut out = Map::new();
        for (name, body) in self.bodies() {
            let body = filled(&body, &out);
            let made = a.host.post(&format!("/api/v1/records/{name}"), &body).await.expect(201).json();
            out.insert(name.to_owned(), made["id"].clone());
        }
        out
    }

    /// `@company` stands for the id of the company before.
    fn bodies(&self) -> Vec<(&'static str, Value)> {
        match self.mark {
            "policy" => vec![
                ("lead", lead("Ada")),
                ("quote", json!({"leadId": "1", "insuranceType": "AUTO"})),
                ("proposal", json!({"leadId": "1", "quoteId": "2"})),
                ("policy", json!({"insuranceType": "AUTO"})),
                ("assignment", json!({"leadId": "1", "agentId": "2"})),
                ("agent", json!({"firstName": "A", "lastName": "B", "email": "a@example.com"})),
                ("customer", json!({"firstName": "A", "lastName": "B"})),
            ],
            "profile" => vec![("lead", self.body())],
            "company" => vec![
                ("company", self.body()),
                ("agent", json!({"name": "Ada", "companyId": "@company"})),
                ("call", json!({"companyId": "@company", "agentId": "@agent"})),
            ],
            "ticket" => vec![
                ("ticket", self.body()),
                ("comment", json!({"ticketId": "@ticket", "body": "On our way."})),
                ("report", json!({"name": "Open tickets"})),
                ("contact", json!({"name": "Ada"})),
                ("agent", json!({"name": "Grace"})),
            ],
            _ => vec![
                ("student", self.body()),
                ("enrolment", json!({"studentId": "@student"})),
                ("fee", json!({})),
                ("payment", json!({})),
                ("invoice", json!({})),
            ],
        }
    }

    /// A job and a schedule of one; of products without jobs, ids that could be theirs: nobody is told anything of them.
    pub(super) async fn jobs(&self, a: &Tenant) -> (String, String) {
        if !self.has_jobs {
            return ("job_01k2x3v7m8e1r9q0s5t6w7y8za".to_owned(), "jsc_01k2x3v7m8e1r9q0s5t6w7y8za".to_owned());
        }
        let job = a.host.post("/api/v1/jobs", &json!({"type": "simulation.run", "input": {"turns": 3}})).await.expect(202).json();
        let schedule = json!({"type": "simulation.run", "cron": "0 6 * * *", "input": {"turns": 3}});
        let schedule = a.host.post("/api/v1/job-schedules", &schedule).await.expect(201).json();
        (text(&job["id"]), text(&schedule["id"]))
    }
}

fn filled(body: &Value, known: &Map<String, Value>) -> Value {
    let mut body = body.clone();
    for value in body.as_object_mut().unwrap().values_mut() {
        if let Some(name) = value.as_str().and_then(|text| text.strip_prefix('@')) {
            *value = known[name].clone();
        }
    }
    body
}
