//! Changing: the same operations, rules, events and audit rows as by REST.

use serde_json::json;

use crate::bed::{App, Bed};

testkit::engines! {
    /// A record's life; each change is audited and has its event; serial mutations see each other.
    async fn a_records_life(bed: Bed) {
        let app = bed.holder().await;
        let made = App::data(app.run_with(
            "mutation($input: CompanyInput!) { createCompany(input: $input, externalId: \"crm-1\") { id externalId name status _version } }",
            json!({"input": {"name": "Ada Inc", "metadata": {"a": [1, {"b": null}]}}}),
        ).await)["createCompany"].clone();
        assert_eq!((&made["name"], &made["status"], &made["_version"], &made["externalId"]), (&json!("Ada Inc"), &json!("active"), &json!(1), &json!("crm-1")));
        let both = App::data(app.run(
            "mutation { a: updateCompany(id: \"ext:crm-1\", patch: {industry: \"tech\"}) { industry _version } \
             b: updateCompany(id: \"ext:crm-1\", patch: {industry: null, name: \"Ada AG\"}) { industry name metadata _version } }",
        ).await);
        assert_eq!(both["a"], json!({"industry": "tech", "_version": 2}));
        assert_eq!(both["b"], json!({"industry": null, "name": "Ada AG", "metadata": {"a": [1, {"b": null}]}, "_version": 3}));
        let stale = app.run("mutation { updateCompany(id: \"ext:crm-1\", patch: {name: \"No\"}, version: 1) { name } }").await;
        assert_eq!(stale["errors"][0]["extensions"]["code"], "precondition_failed", "{stale}");
        let fresh = app.run("mutation { updateCompany(id: \"ext:crm-1\", patch: {name: \"Yes\"}, version: 3) { name } }").await;
        assert_eq!(App::data(fresh)["updateCompany"]["name"], "Yes");
        let id = made["id"].as_str().unwrap().to_owned();
        let gone = app.run(&format!("mutation {{ deleteCompany(id: {id:?}) {{ id }} }}")).await;
        assert_eq!(App::data(gone)["deleteCompany"]["id"], json!(id));
        let again = app.run(&format!("mutation {{ deleteCompany(id: {id:?}) {{ id }} }}")).await;
        assert_eq!((&again["data"], &again["errors"][0]["extensions"]["code"]), (&json!({"deleteCompany": null}), &json!("not_found")));
        let sql = "SELECT action FROM audit_log WHERE tenant_id = ?1 AND target = ?2 ORDER BY seq";
        let (tenant, target) = (bed.tenant, id.clone());
        let acts = bed.store.read(bed.scope(), move |tx| tx.query(sql, &[tenant.into(), target.as_str().into()], |row| row.get::<String>(0)));
        assert_eq!(acts.await.unwrap(), ["record.create", "record.update", "record.update", "record.update", "record.delete"]);
        let sql = "SELECT COUNT(*) FROM events WHERE tenant_id = ?1 AND event_type = 'company.created'";
        let count = bed.store.read(bed.scope(), move |tx| tx.query_one(sql, &[tenant.into()], |row| row.get::<u64>(0))).await.unwrap();
        assert_eq!(count, 1);
    }

    /// What breaks the schema, what a partner may not write, and who may not write at all.
    async fn rules_are_those_of_rest(bed: Bed) {
        let app = bed.holder().await;
        let company = bed.companies(1, 1).await.remove(0);
        let long = "x".repeat(201);
        let refused = app.run_with("mutation($n: String!) { createCompany(input: {name: $n}) { id } }", json!({"n": long})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "validation_failed");
        assert_eq!(refused["errors"][0]["extensions"]["errors"][0]["pointer"], "/name");
        assert_eq!(refused["errors"][0]["path"], json!(["createCompany"]));
        let missing = app.run("mutation { createCompany(input: {}) { id } }").await;
        assert_eq!(missing["errors"][0]["extensions"]["code"], "graphql_validation_failed");
        let reader = bed.scoped(&["companies:read"]).await;
        let refused = reader.run("mutation { createCompany(input: {name: \"A\"}) { id } }").await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "insufficient_scope");
        // `status` of a call is the server's: a partner's scope does not set it.
        let writer = bed.scoped(&["calls:read", "calls:write"]).await;
        let agent = App::data(app.run("{ agents { nodes { id } } }").await)["agents"]["nodes"][0]["id"].clone();
        let call = json!({"companyId": company, "agentId": agent, "status": "done"});
        let refused = writer.run_with("mutation($c: CallInput!) { createCall(input: $c) { id } }", json!({"c": call})).await;
        assert!(matches!(refused["errors"][0]["extensions"]["code"].as_str(), Some("validation_failed" | "insufficient_scope")), "{refused}");
        let children = app.run(&format!("mutation {{ deleteCompany(id: {company:?}) {{ id }} }}")).await;
        assert_eq!(children["errors"][0]["extensions"]["code"], "has_children", "{children}");
    }

    /// The same idempotency key: the first answer again, and nothing done twice; of one mutation and of several.
    async fn repeats_do_nothing_twice(bed: Bed) {
        let app = bed.holder().await;
        for (n, mutation) in ["a: createCompany(input: {name: \"A\"}) { id }", "a: createCompany(input: {name: \"A\"}) { id } b: createCompany(input: {name: \"B\"}) { id }"]
            .into_iter()
            .enumerate()
        {
            let body = json!({"query": format!("mutation {{ {mutation} }}")});
            let key = format!("key-{n}");
            let first = app.post(&body, &[("idempotency-key", &key)]).await;
            let second = app.post(&body, &[("idempotency-key", &key)]).await;
            assert_eq!((first.json(), second.header("idempotent-replayed")), (second.json(), "true"), "{n}");
        }
        assert_eq!(App::data(app.run("{ companies { totalCount } }").await)["companies"]["totalCount"], 3);
    }

    /// What failed is null and has an error; what happened beside it is told.
    async fn what_happened_is_told_beside_what_failed(bed: Bed) {
        let app = bed.holder().await;
        let create = |name: &str| format!("createCompany(input: {{name: {name:?}}}, externalId: {:?}) {{ name }}", name.to_lowercase());
        let answer = app.run(&format!("mutation {{ a: {} b: {} c: {} }}", create("A"), create("a"), create("C"))).await;
        assert_eq!(answer["data"], json!({"a": {"name": "A"}, "b": null, "c": {"name": "C"}}), "{answer}");
        assert_eq!((&answer["errors"][0]["path"], answer["errors"].as_array().unwrap().len()), (&json!(["b"]), 1));
    }

    /// A request that was cut off after its changes and before its answer was kept, sent again: what happened does not happen again.
    async fn a_request_that_was_cut_off_does_the_rest(bed: Bed) {
        let app = bed.holder().await;
        let create = |name: &str| format!("createCompany(input: {{name: {name:?}}}) {{ id }}");
        let both = json!({"query": format!("mutation {{ a: {} b: {} }}", create("A"), create("B"))});
        let list = json!([{"query": format!("mutation {{ {} }}", create("C"))}, both]);
        for (n, body) in [both.clone(), list].into_iter().enumerate() {
            let key = format!("cut-{n}");
            let first = app.post(&body, &[("idempotency-key", &key)]).await.json();
            // What a crash leaves: the changes, each with what was kept in its transaction, and not the whole answer.
            let sql = "DELETE FROM idempotency_keys WHERE key = ?1 AND kind = 'answer'";
            let named = key.clone();
            let gone = bed.store.write(kernel::Scope::system("test"), move |tx| tx.exec(sql, &[named.as_str().into()])).await.unwrap();
            assert_eq!(gone, 1);
            let second = app.post(&body, &[("idempotency-key", &key)]).await.json();
            assert_eq!(first, second, "{n}");
        }
        assert_eq!(App::data(app.run("{ companies { totalCount } }").await)["companies"]["totalCount"], 5);
    }
}
