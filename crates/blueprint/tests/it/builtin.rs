use blueprint::model::{BodyForm, Envelope, ErrorStyle, IdForm, Naming, Operation, ResetFormat};
use blueprint::{Blueprint, Schema, builtin, load};
use kernel::Permission;
use serde_json::json;

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn loaded(name: &str) -> Blueprint {
    load(name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_builtin_file_is_valid_and_named_as_its_file() {
    for (name, _) in builtin() {
        assert_eq!(loaded(name).name, *name);
    }
    let names: Vec<&str> = builtin().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["insurance-leads", "contractor-network", "call-coaching", "helpdesk-reports", "school-tenants"]);
}

#[test]
fn insurance_leads_says_what_its_page_says() {
    let b = loaded("insurance-leads");
    assert_eq!((b.style.base_path.as_str(), b.style.envelope, b.style.errors), ("/api/v1", Envelope::Plain, ErrorStyle::Problem));
    assert_eq!((b.style.naming, b.style.reset, b.style.validation_status), (Naming::Camel, ResetFormat::Iso8601, 422));
    assert_eq!(b.keys.prefix, "ins");
    assert_eq!(b.scopes.len(), 16);
    assert_eq!(b.events.len(), 20);
    let tier = b.tier("premium").unwrap();
    assert_eq!((tier.per_minute, tier.per_hour, tier.per_day, tier.burst), (Some(300), Some(15_000), Some(150_000), Some(50)));
    assert_eq!(b.tiers.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["basic", "standard", "premium", "enterprise"]);
    assert!(b.tier(&b.default_tier).is_some());
    assert_eq!(b.endpoints.len(), 7 * 6 + 1);
    let delete = b.endpoints.iter().find(|e| e.path == "/assignments/{id}" && e.operation == Operation::Delete).unwrap();
    assert_eq!(delete.scope, "leads:delete");
    let BodyForm::Legacy { event_type, constants, .. } = &b.webhooks.body else { panic!("legacy body") };
    assert_eq!((event_type.as_str(), constants.as_slice()), ("eventType", [("version".to_owned(), json!("1.0"))].as_slice()));
    assert_eq!(b.webhooks.retry_schedule_ms.as_deref(), Some([60_000, 120_000, 240_000].as_slice()));
    assert_eq!(b.webhooks.signature_header.as_deref(), Some("X-Webhook-Signature"));
}

#[test]
fn insurance_leads_accepts_the_lead_of_its_page() {
    let b = loaded("insurance-leads");
    let lead = b.resource("lead").unwrap();
    let schema = Schema::compile(&lead.schema).unwrap();
    let body = json!({ "source": "website", "email": "ada@example.com", "firstName": "Ada", "lastName": "Byron", "insuranceType": "AUTO" });
    assert_eq!(schema.check(&body, ""), []);
    let mut wrong = body.clone();
    wrong["email"] = json!("nobody");
    wrong["colour"] = json!("red");
    let pointers: Vec<String> = schema.check(&wrong, "").into_iter().map(|fault| fault.pointer).collect();
    assert!(pointers.contains(&"/email".to_owned()) && pointers.contains(&"/colour".to_owned()), "{pointers:?}");
    assert_eq!(lead.schema["properties"]["status"]["default"], "NEW");
    assert_eq!(lead.emits.id_member, "leadId");
    for to in ["QUALIFIED", "qualified"] {
        let transition = lead.emits.transitions.iter().find(|t| t.to == to).unwrap();
        assert_eq!(transition.event.as_str(), "lead.qualified");
    }
}

#[test]
fn every_status_event_of_insurance_leads_is_emitted_by_its_resource() {
    let b = loaded("insurance-leads");
    for event in &b.events {
        let resource = b.resource(event.name.as_str().split('.').next().unwrap()).unwrap();
        let emits = &resource.emits;
        let all = [&emits.created, &emits.updated].into_iter().flatten().chain(emits.transitions.iter().map(|t| &t.event));
        assert!(all.into_iter().any(|name| *name == event.name), "{} is never emitted", event.name);
    }
}

#[test]
fn scopes_grant_only_what_was_meant() {
    let b = loaded("insurance-leads");
    let write = b.permissions_of(&strings(&["webhooks:write"]));
    assert!(write.holds(Permission::WebhooksWrite) && write.holds(Permission::WebhooksRead) && !write.holds(Permission::EventsPublish));
    let all = b.permissions_of(&b.all_scopes());
    for never in [Permission::ClientsWrite, Permission::KeysWrite, Permission::EventsPublish, Permission::RecordsWrite] {
        assert!(!all.holds(never), "{never}");
    }
    assert_eq!(b.expand_scopes(&strings(&["nonsense", "leads:write", "leads:write"])), ["leads:write"]);
}

#[test]
fn contractor_network_says_what_its_page_says() {
    let b = loaded("contractor-network");
    assert_eq!(
        (b.style.base_path.as_str(), b.style.envelope, b.style.errors),
        ("/api/partner-api", Envelope::Success, ErrorStyle::Success)
    );
    assert_eq!((b.style.naming, b.style.reset, b.style.validation_status), (Naming::Snake, ResetFormat::UnixSeconds, 400));
    let text = |code: &str| b.style.error_texts.iter().find(|(name, _)| name == code).unwrap().1.as_str();
    assert_eq!(text("missing_credential"), "API key required. Include \"Authorization: Bearer YOUR_API_KEY\" header.");
    assert_eq!(text("invalid_credential"), "Invalid API key");
    assert_eq!(text("insufficient_scope"), "Insufficient permissions. Required scope: {scope}");
    assert_eq!(text("ip_not_allowed"), "IP address not whitelisted");
    assert_eq!(b.all_scopes(), ["read:leads", "write:leads", "read:analytics", "read:profile"]);
    assert_eq!(b.keys.default_scopes, ["read:leads", "read:analytics"]);
    let tier = b.tier(&b.default_tier).unwrap();
    assert_eq!((tier.per_minute, tier.per_hour), (None, Some(1000)));
    let lead = b.resource("lead").unwrap();
    assert_eq!((lead.id_form, lead.search.len()), (IdForm::Integer, 3));
    assert!(lead.stamps[0].on_update && !lead.stamps[0].on_create && lead.stamps[0].field == "last_contact_date");
    let at = |method: &str, path: &str| {
        b.endpoints.iter().find(|one| one.method == method && one.full_path(&b.style) == path).unwrap_or_else(|| panic!("{method} {path}"))
    };
    let (list, update) = (at("GET", "/api/partner-api/leads"), at("PUT", "/api/partner-api/lead/{leadId}"));
    assert_eq!((list.path.as_str(), list.limit, list.total), ("/leads", (50, 100), true));
    assert_eq!((update.method.as_str(), update.path.as_str()), ("PUT", "/lead/{leadId}"));
    assert_eq!(update.not_found.as_deref(), Some("Lead not found or access denied"));
    assert_eq!(b.webhooks.retry_schedule_ms.as_deref(), Some([2_000, 4_000, 8_000].as_slice()));
    assert!(matches!(b.webhooks.body, BodyForm::DataOnly));
    let sample = b.webhooks.test_data_at(kernel::Timestamp::from_millis(0));
    assert_eq!(sample["timestamp"], "1970-01-01T00:00:00.000Z");
    assert_eq!(sample["test"], true);
    assert_eq!(at("GET", "/api/partner-api/analytics").scope, "read:analytics");
    assert_eq!(at("GET", "/api/partner-api/profile").not_found.as_deref(), Some("Partner not found"));
    assert_eq!(at("GET", "/api/partner-api/powerconfidence-history").limit, (12, 12));
    for (method, path, call) in [
        ("POST", "/api-keys", "keys.create"),
        ("GET", "/api-keys", "keys.list"),
        ("DELETE", "/api-keys/{keyId}", "keys.revoke_of_client"),
        ("GET", "/api-keys/{keyId}/usage", "keys.usage"),
        ("POST", "/webhooks", "webhooks.create"),
        ("GET", "/webhooks", "webhooks.list"),
        ("DELETE", "/webhooks/{id}", "clients.webhooks.delete"),
        ("POST", "/webhooks/{id}/test", "clients.webhooks.test"),
        ("GET", "/webhooks/{id}/deliveries", "clients.webhooks.deliveries"),
    ] {
        let manage = at(method, &format!("/api/partner-portal{path}")).manage.as_ref().unwrap();
        assert_eq!((manage.managed.id, manage.credentials.len()), (call, 2), "{method} {path}");
    }
}

#[test]
fn call_coaching_says_what_its_page_says() {
    let b = loaded("call-coaching");
    assert_eq!((b.style.base_path.as_str(), b.style.envelope, b.style.naming), ("/api/partner/v1", Envelope::Plain, Naming::Camel));
    assert!(b.keys.dual_auth);
    assert_eq!(b.tier(&b.default_tier).unwrap().per_minute, Some(1000));
    let scopes = "companies:read companies:write agents:read agents:write calls:read calls:write jobs:read analytics:read simulations:read simulations:write";
    assert_eq!(b.all_scopes().join(" "), scopes);
    for (method, path, operation, scope) in [
        ("GET", "/health", Operation::Health, ""),
        ("POST", "/companies/create", Operation::Create, "companies:write"),
        ("GET", "/companies/{id}", Operation::Get, "companies:read"),
        ("PUT", "/companies/{id}/questionnaire", Operation::Replace, "companies:write"),
        ("POST", "/companies/{id}/agents/create", Operation::Create, "agents:write"),
        ("GET", "/companies/{id}/agents", Operation::List, "agents:read"),
        ("POST", "/calls/analyze", Operation::Job, "calls:write"),
        ("GET", "/jobs/{id}/status", Operation::JobStatus, "jobs:read"),
        ("GET", "/calls", Operation::List, "calls:read"),
        ("GET", "/calls/{id}", Operation::Get, "calls:read"),
        ("GET", "/insights", Operation::Metric, "analytics:read"),
        ("GET", "/statistics", Operation::Metric, "analytics:read"),
        ("GET", "/agents/{id}/performance", Operation::Metric, "analytics:read"),
        ("POST", "/simulations/trigger", Operation::Job, "simulations:write"),
        ("GET", "/simulations/jobs/{id}", Operation::JobStatus, "simulations:read"),
    ] {
        let found = b.endpoints.iter().find(|one| one.method == method && one.path == path).unwrap_or_else(|| panic!("{method} {path}"));
        assert_eq!((found.operation, found.scope.as_str()), (operation, scope), "{method} {path}");
    }
    assert_eq!(b.resource("agent").unwrap().schema["required"], json!(["name", "companyId"]));
    let analyze = Schema::compile(&b.job("call.analyze").unwrap().input).unwrap();
    let call = |more: serde_json::Value| {
        let mut call = json!({"companyId": "rec_1", "agentId": "rec_2"});
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        analyze.accepts(&call)
    };
    assert!(call(json!({"transcript": "Hello"})) && call(json!({"recordingUrl": "https://example.com/1.mp3"})) && !call(json!({})));
    assert_eq!(b.webhooks.retry_schedule_ms.as_ref().map(Vec::len), Some(2), "three attempts");
}

#[test]
fn helpdesk_reports_says_what_its_page_says() {
    let b = loaded("helpdesk-reports");
    assert_eq!((b.scopes.len(), b.product.tenant_word.as_str(), b.keys.max_lifetime_days), (17, "Team", Some(365)));
    assert_eq!(b.expand_scopes(&strings(&["admin:full"])), b.all_scopes());
    let events: Vec<&str> = b.events.iter().map(|event| event.name.as_str()).collect();
    for name in [
        "ticket.created",
        "ticket.updated",
        "ticket.commented",
        "ticket.resolved",
        "contact.created",
        "contact.updated",
        "report.executed",
        "report.exported",
    ] {
        assert!(events.contains(&name), "{name}");
    }
    let ticket = b.resource("ticket").unwrap();
    assert_eq!(ticket.schema["required"], json!(["subject"]));
    assert!(b.resource("comment").unwrap().parent("ticket").is_some());
    assert_eq!(ticket.scopes.delete.as_deref(), Some("tickets:write"));
    for name in ["report", "contact", "ticket", "agent"] {
        assert!(b.resource(name).unwrap().scopes.read.is_some(), "{name}");
    }
}

#[test]
fn school_tenants_says_what_its_page_says() {
    let b = loaded("school-tenants");
    assert_eq!(b.keys.prefix, "sk");
    let tier = b.tier(&b.default_tier).unwrap();
    assert_eq!((tier.per_minute, tier.per_hour), (Some(60), Some(1000)));
    assert_eq!(b.webhooks.retry_schedule_ms.as_deref(), Some([60_000; 3].as_slice()));
    for (name, read, write) in [
        ("student", "students:read", "students:write"),
        ("enrolment", "students:read", "students:write"),
        ("fee", "fees:read", "fees:write"),
        ("payment", "payments:read", "payments:write"),
        ("invoice", "invoices:read", "invoices:write"),
    ] {
        let scopes = &b.resource(name).unwrap().scopes;
        assert_eq!((scopes.read.as_deref(), scopes.write.as_deref()), (Some(read), Some(write)), "{name}");
    }
    for name in ["student.enrolled", "student.updated", "fee.due", "fee.paid", "payment.success", "payment.failed", "invoice.issued"] {
        assert_eq!(b.event(name).unwrap().aliases[0].as_str(), name.replace('.', "_"));
    }
}

#[test]
fn a_file_is_loaded_by_its_path_and_a_mistyped_name_is_recognised() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    std::fs::write(&path, builtin()[0].1).unwrap();
    assert_eq!(load(path.to_str().unwrap()).unwrap().name, "insurance-leads");
    std::fs::write(&path, vec![b'#'; 2 * 1024 * 1024]).unwrap();
    assert!(load(path.to_str().unwrap()).unwrap_err().to_string().contains("larger than 1048576 bytes"));
    std::fs::write(&path, [b'a', 0xff]).unwrap();
    assert!(load(path.to_str().unwrap()).unwrap_err().to_string().contains("not UTF-8"));
    assert!(load("insurance-lead").unwrap_err().to_string().contains("did you mean insurance-leads?"));
    assert!(load("./no/such.toml").unwrap_err().to_string().contains("cannot be read"));
}

/// The first example is a whole file; each further one can be added to it.
#[test]
fn the_examples_of_the_documentation_are_valid() {
    let page = include_str!("../../../../docs/blueprints.md");
    let mut examples = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let whole = examples.next().unwrap();
    let bakery = blueprint::parse(whole, "docs/blueprints.md").unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(bakery.resource("order").unwrap().updated_field.as_deref(), Some("updatedAt"));
    let mut more = 0;
    for example in examples {
        let text = format!("{whole}\n{example}");
        let grown = blueprint::parse(&text, "docs/blueprints.md").unwrap_or_else(|faults| panic!("{faults}\n{example}"));
        assert!(grown.endpoints.len() > bakery.endpoints.len(), "{example}");
        more += 1;
    }
    assert!(more >= 4, "{more} further examples");
}

/// Every operation of the native API that may be managed is told.
#[test]
fn the_documentation_names_every_managed_operation() {
    let page = include_str!("../../../../docs/blueprints.md");
    let list = page.split("What may be called: ").nth(1).unwrap().split("Faults that").next().unwrap();
    for managed in blueprint::model::MANAGED {
        let last = managed.id.rsplit('.').next().unwrap();
        let told = list.contains(&format!("`{}`", managed.id)) || list.contains(&format!("`.{last}`"));
        assert!(told, "{}", managed.id);
    }
}
