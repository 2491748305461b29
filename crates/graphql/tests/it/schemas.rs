//! A tenant's own schema.

use serde_json::{Value, json};

use crate::bed::{App, Bed};

const OWN: &str = r#"
"""A customer."""
type Customer @resource(name: "company") {
  id: ID!
  title: String! @field(path: "name")
  state: String @field(path: "status")
  survey: JSON @field(path: "questionnaire")
  note: String @field(path: "metadata.note")
  people: [Person!]
  staff: PersonConnection @field(path: "companyId")
  since: DateTime @field(path: "createdAt")
}
type Person @resource(name: "agent") {
  id: ID!
  name: String
  employer: Customer @field(path: "companyId")
}
"#;

fn faults(answer: &Value) -> Vec<String> {
    answer["errors"].as_array().unwrap().iter().map(|error| error["detail"].as_str().unwrap().to_owned()).collect()
}

testkit::engines! {
    /// Definitions that the blueprint has left behind are not replaced by another schema: their tenant is told, everybody else is served.
    async fn what_the_blueprint_left_behind_is_said(bed: Bed) {
        let (app, host, tenant) = (bed.holder().await, bed.host().await, bed.tenant);
        assert_eq!(host.put_schema(tenant, &json!({"typeDefs": OWN})).await.status, 200);
        let set = "UPDATE graphql_schemas SET type_defs = ?2 WHERE tenant_id = ?1";
        let old = OWN.replace("\"company\"", "\"firm\"").replace("\"questionnaire\"", "\"inquiry\"");
        bed.store.write(bed.scope(), move |tx| tx.exec(set, &[tenant.into(), old.as_str().into()])).await.unwrap();
        let answer = app.run("{ companies { nodes { id } } }").await;
        let error = &answer["errors"][0];
        assert_eq!((&error["extensions"]["code"], answer.get("data")), (&json!("graphql_schema_outdated"), None), "{answer}");
        let fault = error["extensions"]["faults"][0].as_str().unwrap();
        assert!(fault.starts_with("line 3, column ") && fault.contains("firm"), "{fault}");
        let shown = host.send(http::Method::GET, "/api/v1/graphql-schema", &[("tradewind-tenant", &tenant.to_string())], String::new()).await.json();
        assert_eq!((&shown["faults"], &shown["schema"]), (&error["extensions"]["faults"], &json!("")));
        App::data(bed.stranger().await.run("{ companies { totalCount } }").await);
        let set = host.put_schema(tenant, &json!({})).await.json();
        assert_eq!(set["faults"], json!([]));
        App::data(app.run("{ companies { nodes { id } } }").await);
    }

    /// A blueprint that would leave definitions behind is objected to, one that adds is not; what did not fit before is nobody's news.
    async fn a_blueprint_that_takes_away_is_objected_to(bed: Bed) {
        let host = bed.host().await;
        assert_eq!(host.put_schema(bed.tenant, &json!({"typeDefs": OWN})).await.status, 200);
        let (_, text) = blueprint::builtin().iter().find(|(name, _)| *name == "call-coaching").unwrap();
        let of = |text: &str| std::sync::Arc::new(blueprint::parse(text, "test").unwrap());
        let (old, without) = (of(text), of(&text.replace("questionnaire", "inquiry")));
        let more = of(&text.replacen("questionnaire = ", "mood = { type = \"string\" }\nquestionnaire = ", 1));
        let ask = async |old: &std::sync::Arc<blueprint::Blueprint>, new: &std::sync::Arc<blueprint::Blueprint>| {
            let (old, new) = (old.clone(), new.clone());
            bed.store.read(kernel::Scope::system("test"), move |tx| graphql::objections(tx, &old, &new)).await.unwrap()
        };
        let told = ask(&old, &without).await;
        assert_eq!((told.len(), told[0].code), (1, "graphql_schema_in_use"));
        assert!(told[0].reason.contains(&bed.tenant.to_string()) && told[0].reason.contains("questionnaire"), "{}", told[0].reason);
        assert!(ask(&old, &more).await.is_empty() && ask(&without, &old).await.is_empty() && ask(&without, &without).await.is_empty());
    }

    /// Types and fields are selected and renamed, in what is read and in what is written; at once, for this tenant's credentials only.
    async fn own_types_are_served(bed: Bed) {
        let (app, host) = (bed.holder().await, bed.host().await);
        let company = bed.companies(1, 2).await.remove(0);
        let set = host.put_schema(bed.tenant, &json!({"typeDefs": OWN})).await;
        assert_eq!(set.status, 200, "{}", set.text);
        let shown = set.json()["schema"].as_str().unwrap().to_owned();
        assert!(shown.contains("\"\"\"\nA customer.\n\"\"\"\ntype Customer"), "{shown}");
        assert!(!shown.contains("\"\"\"\n\n"), "nothing is described by nothing: {shown}");
        let data = App::data(app.run_with(
            "query($id: ID!) { customer(id: $id) { title people { name employer { title } } staff(first: 1) { nodes { name } totalCount } } \
             customers(filter: {state: {eq: \"active\"}}, sort: {field: title}) { nodes { state since } } }",
            json!({"id": company}),
        ).await);
        assert_eq!(data["customer"]["people"], json!([
            {"name": "Agent 0.1", "employer": {"title": "Company 0"}},
            {"name": "Agent 0.0", "employer": {"title": "Company 0"}},
        ]));
        assert_eq!(data["customer"]["staff"], json!({"nodes": [{"name": "Agent 0.1"}], "totalCount": 2}));
        assert_eq!(data["customers"]["nodes"][0]["state"], "active");
        let made = App::data(app.run("mutation { createCustomer(input: {title: \"New\", note: \"deep\"}) { title note state } }").await);
        assert_eq!(made["createCustomer"], json!({"title": "New", "note": "deep", "state": "active"}));
        assert_eq!(app.run("{ companies { nodes { id } } }").await["errors"][0]["extensions"]["code"], "graphql_validation_failed");
        assert_eq!(App::data(bed.stranger().await.run("{ companies { totalCount } }").await)["companies"]["totalCount"], 0);
        let shown = host.send(http::Method::GET, "/api/v1/graphql-schema", &[("tradewind-tenant", &bed.tenant.to_string())], String::new()).await.json();
        assert_eq!((&shown["typeDefs"], &shown["depthLimit"], &shown["introspection"]), (&json!(OWN), &json!(15), &json!(true)));
        assert_eq!(host.put_schema(bed.tenant, &json!({})).await.status, 200);
        App::data(app.run("{ companies { nodes { id } } }").await);
        let (tenant, sql) = (bed.tenant, "SELECT COUNT(*) FROM audit_log WHERE tenant_id = ?1 AND action = 'graphql_schema.put'");
        let count = bed.store.read(bed.scope(), move |tx| tx.query_one(sql, &[tenant.into()], |row| row.get::<u64>(0))).await.unwrap();
        assert_eq!(count, 2);
    }

    /// The roots may be written too.
    async fn own_roots_are_served(bed: Bed) {
        let (app, host) = (bed.holder().await, bed.host().await);
        let company = bed.companies(2, 1).await.remove(0);
        let type_defs = r#"
            type Company @resource(name: "company") { id: ID! name: String status: Status }
            enum Status { active closed }
            type Query { firm(id: ID!): Company  firms(limit: Int, status: Status): [Company!]!  all: CompanyConnection }
        "#;
        assert_eq!(host.put_schema(bed.tenant, &json!({"typeDefs": type_defs})).await.status, 200);
        let data = App::data(app.run_with("query($id: ID!) { firm(id: $id) { name status } firms(limit: 1, status: active) { name } all { totalCount } }", json!({"id": company})).await);
        assert_eq!(data, json!({"firm": {"name": "Company 0", "status": "active"}, "firms": [{"name": "Company 1"}], "all": {"totalCount": 2}}));
        bed.record("company", json!({"name": "Odd", "status": "strange"})).await;
        let odd = app.run("{ firms(limit: 1) { name status } }").await;
        assert_eq!((&odd["data"]["firms"][0], &odd["errors"][0]["extensions"]["code"]), (&json!({"name": "Odd", "status": null}), &json!("value_mismatch")));
    }

    /// Types of inner objects may contain themselves and each other, however the member is declared.
    async fn inner_types_may_contain_themselves(bed: Bed) {
        let host = bed.host().await;
        for inner in ["type B { c: [B!] }", "type B { c: B }", "type B { c: C } type C { b: B d: [C!] }"] {
            let type_defs = format!("type Customer @resource(name: \"company\") {{ id: ID! m: B @field(path: \"metadata\") }} {inner}");
            let set = host.put_schema(bed.tenant, &json!({"typeDefs": type_defs})).await;
            assert_eq!(set.status, 200, "{type_defs}: {}", set.text);
        }
        let company = bed.companies(1, 0).await.remove(0);
        let data = App::data(bed.holder().await.run_with("query($id: ID!) { customer(id: $id) { m { c { b { c { d { b { c { __typename } } } } } } } } }", json!({"id": company})).await);
        assert_eq!(data["customer"]["m"]["c"], Value::Null);
    }

    /// What cannot be served is refused with its place, all of it, and what was served stays.
    async fn faults_have_line_and_column(bed: Bed) {
        let (app, host) = (bed.holder().await, bed.host().await);
        for (type_defs, expected) in [
            ("type A @resource(name: \"company\") {", "line 1, column"),
            ("type A @resource(name: \"firm\") { id: ID }", "line 1, column 24: there is no resource type \"firm\"; there are company"),
            ("type A @resource(name: \"company\") {\n  label: String\n}", "line 2, column 3: company has no member \"label\""),
            ("type A @resource(name: \"company\") {\n  n: Int @field(path: \"name\")\n}", "line 2, column 6: the member is of type string, not Int"),
            ("type A @resource(name: \"company\") { name: Text }", "line 1, column 43: there is no type Text"),
            ("type A @resource(name: \"company\") { name: [String] }", "no list"),
            ("type A @resource(name: \"company\") { name: String } type A { a: Int }", "A is defined twice"),
            ("type A @resource(name: \"company\") { name: String } type Query { a: Int }", "line 1, column 68: a field of Query shows a type"),
            ("type A @resource(name: \"company\") { name: String } union U = A", "interfaces and unions are not taken"),
            ("type A @resource(name: \"company\") { name: String @secret }", "@secret is not known"),
            ("type A @resource(name: \"company\") { b: B } type B @resource(name: \"call\") { id: ID }", "names a call; none does"),
            ("scalar Money type A @resource(name: \"company\") { name: String }", "the scalars are"),
            ("type PageInfo @resource(name: \"company\") { name: String }", "a name of the server's own"),
            ("type A @resource(name: \"company\") { name: String } type AFilter @resource(name: \"agent\") { id: ID }", "AFilter follows from another type"),
            (
                "type A @resource(name: \"company\") { name: String s: String @field(path: \"status\") } type Query { all(limit: Int, industry: String): [A!]! }",
                "there is no argument industry here; there are first, after, filter, search, sort, limit, s",
            ),
            ("type A @resource(name: \"company\") { name: String name: String }", "A has a field name already"),
            ("type A @resource(name: \"company\") { m: B @field(path: \"metadata\") } type B { x: Int x: Int }", "B has a field x already"),
            ("type A @resource(name: \"company\") { name: String } type Query { a: [A!] a: [A!] }", "Query has a field a already"),
            ("{{{{", "line 1"),
        ] {
            let refused = host.put_schema(bed.tenant, &json!({"typeDefs": type_defs})).await;
            assert_eq!(refused.status, 422, "{type_defs}: {}", refused.text);
            let told = faults(&refused.json());
            assert!(told.iter().any(|fault| fault.contains(expected)), "{type_defs}: {told:?}");
            assert!(told.iter().all(|fault| fault.starts_with("line ")), "{told:?}");
        }
        let two = "type A @resource(name: \"company\") {\n  x: Int\n  y: Int\n}";
        assert_eq!(faults(&host.put_schema(bed.tenant, &json!({"typeDefs": two})).await.json()).len(), 2);
        App::data(app.run("{ companies { nodes { id } } }").await);
        // Who may see the schema may not set it.
        assert_eq!(app.put_schema(bed.tenant, &json!({})).await.status, 403);
    }
}
