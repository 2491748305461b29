//! What costs too much is refused before it runs.

use serde_json::json;

use crate::bed::{App, Bed};

testkit::engines! {
    /// Depth, complexity with the sizes of lists, introspection: as the tenant sets them, from the answer on.
    async fn a_tenants_limits_hold(bed: Bed) {
        let (app, host) = (bed.holder().await, bed.host().await);
        bed.companies(3, 2).await;
        let code = |answer: serde_json::Value| answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none").to_owned();
        let (flat, sized) = ("{ companies { nodes { id } } }", "{ companies(first: 3) { nodes { id } } }");
        assert_eq!(code(app.run(flat).await), "none");
        // 1 for companies, 1 for nodes, 20 for the ids of a list that says nothing.
        assert_eq!(host.put_schema(bed.tenant, &json!({"complexityLimit": 21})).await.status, 200);
        assert_eq!(code(app.run(flat).await), "query_too_complex");
        assert_eq!(code(app.run(sized).await), "none");
        assert_eq!(code(app.run_with("query($n: Int) { companies(first: $n) { nodes { id } } }", json!({"n": 20})).await), "query_too_complex");
        assert_eq!(code(app.run_with("query($n: Int = 2) { companies(first: $n) { nodes { id } } }", json!({})).await), "none");
        let names: String = (0..22).map(|n| format!("a{n}: __typename ")).collect();
        assert_eq!(code(app.run(&format!("{{ {names} }}")).await), "query_too_complex", "__typename counts");
        assert_eq!(host.put_schema(bed.tenant, &json!({"depthLimit": 2})).await.status, 200);
        assert_eq!(code(app.run(flat).await), "query_too_deep");
        assert_eq!(code(app.run("{ companies { totalCount } }").await), "none");
        assert_eq!(code(app.run("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }").await), "none", "introspection has its own");
        assert_eq!(host.put_schema(bed.tenant, &json!({"introspection": false})).await.status, 200);
        assert_eq!(code(app.run("{ __schema { queryType { name } } }").await), "introspection_disabled");
        assert_eq!(code(app.run("{ __typename companies { nodes { __typename } } }").await), "none");
        assert_eq!(code(bed.stranger().await.run("{ __schema { queryType { name } } }").await), "none", "another tenant has its own");
        for bad in [json!({"depthLimit": 0}), json!({"depthLimit": 51}), json!({"complexityLimit": 0}), json!({"complexity": 1})] {
            assert_eq!(host.put_schema(bed.tenant, &bad).await.status, 422, "{bad}");
        }
    }

    /// Whatever is sent ends in a documented error, soon, and without what was sent.
    async fn hostile_documents_are_refused(bed: Bed) {
        let app = bed.holder().await;
        let aliases: String = (0..10_000).map(|n| format!("a{n}: __typename ")).collect();
        let bomb: String = (0..30).map(|n| format!("fragment F{n} on Company {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect();
        let chain: String = (0..500).map(|n| format!("fragment F{n} on Company {{ ...F{} }} ", n + 1)).collect();
        for (query, code) in [
            (format!("{}{}", "{ companies { nodes ".repeat(100), "} }".repeat(100)), "query_too_deep"),
            (format!("{{ company(id: {}1{}) {{ id }} }}", "[".repeat(5000), "]".repeat(5000)), "query_too_deep"),
            ("{".repeat(60_000), "query_too_deep"),
            (format!("{{ {aliases} }}"), "query_too_long"),
            (format!("{{ {} }}", &aliases[..aliases.char_indices().nth(40_000).unwrap().0]), "graphql_validation_failed|graphql_syntax_error"),
            (format!("{{ companies {{ nodes {{ ...F0 }} }} }} {bomb} fragment F30 on Company {{ id }}"), "query_too_complex"),
            (format!("{{ companies {{ nodes {{ ...F0 }} }} }} {chain} fragment F500 on Company {{ id }}"), "query_too_deep"),
            ("fragment A on Company { ...A } { companies { nodes { ...A } } }".into(), "fragment_cycle"),
            (format!("{{ company(id: \"{}\") {{ id }} }}", "x".repeat(70_000)), "query_too_long"),
            ("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".into(), "query_too_deep"),
            ("\u{0}".into(), "graphql_syntax_error"),
        ] {
            let answer = app.post(&json!({"query": query}), &[]).await;
            let told = answer.json()["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned();
            assert!(code.split('|').any(|code| code == told), "{told} for {}", &query.chars().take(60).collect::<String>());
            assert!(answer.text.len() < 2000, "{} bytes", answer.text.len());
        }
        let many: Vec<_> = (0..11).map(|_| json!({"query": "{ __typename }"})).collect();
        let answer = app.post(&json!(many), &[]).await;
        assert_eq!((answer.status, answer.json()["errors"][0]["extensions"]["code"].clone()), (400, json!("graphql_batch_too_large")));
        let few: Vec<_> = (0..10).map(|_| json!({"query": "{ __typename }"})).collect();
        let answer = app.post(&json!(few), &[]).await.json();
        assert_eq!(answer, json!((0..10).map(|_| json!({"data": {"__typename": "Query"}})).collect::<Vec<_>>()));
        assert_eq!(App::data(app.run("{ __typename }").await), json!({"__typename": "Query"}));
    }

    /// A count looks at every match: many of them in one operation are too many.
    async fn counting_is_dear(bed: Bed) {
        let app = bed.holder().await;
        let counts = |n: usize| -> String { (0..n).map(|n| format!("a{n}: companies(first: 1, search: \"ex\") {{ totalCount }} ")).collect() };
        let many = app.run(&format!("{{ {} }}", counts(150))).await;
        assert_eq!(many["errors"][0]["extensions"]["code"], "query_too_complex", "{many}");
        let few = App::data(app.run(&format!("{{ {} }}", counts(90))).await);
        assert_eq!((&few["a0"]["totalCount"], &few["a89"]["totalCount"]), (&json!(0), &json!(0)));
    }
}
