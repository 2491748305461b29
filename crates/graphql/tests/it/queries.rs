//! Reading: one, many, what belongs together; and who may.

use serde_json::{Value, json};

use crate::bed::{App, Bed};

testkit::engines! {
    /// A record by its id with what it belongs to and what belongs to it; fields in the order in which they are asked for.
    async fn records_lead_to_each_other(bed: Bed) {
        let app = bed.holder().await;
        let company = bed.companies(1, 3).await.remove(0);
        let data = App::data(app.run_with(
            "query($id: ID!) { company(id: $id) { agents(first: 2) { totalCount nodes { name company { id } } pageInfo { hasNextPage } } name __typename } }",
            json!({"id": company}),
        ).await);
        let expected = json!({"company": {
            "agents": {
                "totalCount": 3,
                "nodes": [{"name": "Agent 0.2", "company": {"id": company}}, {"name": "Agent 0.1", "company": {"id": company}}],
                "pageInfo": {"hasNextPage": true},
            },
            "name": "Company 0",
            "__typename": "Company",
        }});
        assert_eq!(data.to_string(), expected.to_string());
    }

    /// Lists go on in both directions by cursors that belong to their list.
    async fn lists_go_on_both_ways(bed: Bed) {
        let app = bed.holder().await;
        bed.companies(5, 0).await;
        let sorted = "sort: {field: name, direction: ASC}";
        let page = |arguments: String| {
            let app = app.clone();
            async move {
                let query = format!(
                    "{{ companies({arguments}) {{ edges {{ cursor node {{ name }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
                );
                App::data(app.run(&query).await)["companies"].clone()
            }
        };
        let names = |page: &Value| -> Vec<String> {
            page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect()
        };
        let first = page(format!("{sorted}, first: 2")).await;
        assert_eq!(names(&first), ["Company 0", "Company 1"]);
        assert_eq!((&first["pageInfo"]["hasNextPage"], &first["pageInfo"]["hasPreviousPage"]), (&json!(true), &json!(false)));
        let end = first["pageInfo"]["endCursor"].as_str().unwrap();
        let second = page(format!("{sorted}, first: 2, after: {end:?}")).await;
        assert_eq!(names(&second), ["Company 2", "Company 3"]);
        let start = second["pageInfo"]["startCursor"].as_str().unwrap();
        let back = page(format!("{sorted}, last: 1, before: {start:?}")).await;
        assert_eq!(names(&back), ["Company 1"]);
        assert_eq!((&back["pageInfo"]["hasPreviousPage"], &back["pageInfo"]["hasNextPage"]), (&json!(true), &json!(true)));
        assert_eq!(names(&page(format!("{sorted}, last: 2")).await), ["Company 3", "Company 4"]);
        assert_eq!(names(&page("first: 1".into()).await), ["Company 4"], "the newest first");
        assert_eq!(names(&page("last: 1".into()).await), ["Company 0"]);
        let foreign = app.run(&format!("{{ companies(first: 2, after: {end:?}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(foreign["errors"][0]["extensions"]["code"], "invalid_cursor", "{foreign}");
        for bad in ["first: 101", "first: 1, last: 1", "first: -1"] {
            let answer = app.run(&format!("{{ companies({bad}) {{ nodes {{ id }} }} }}")).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "validation_failed", "{bad}: {answer}");
        }
        assert_eq!(App::data(app.run("{ companies(first: 0) { totalCount nodes { id } } }").await)["companies"], json!({"totalCount": 5, "nodes": []}));
    }

    /// Filters compare, combine and search.
    async fn filters_combine(bed: Bed) {
        let app = bed.holder().await;
        for (name, industry, status) in [("Ada Inc", "tech", "active"), ("Bob Ltd", "tech", "closed"), ("Cid AG", "food", "active")] {
            bed.record("company", json!({"name": name, "industry": industry, "status": status})).await;
        }
        bed.records.settle().await.unwrap();
        for (arguments, expected) in [
            ("filter: {industry: {eq: \"tech\"}}", vec!["Ada Inc", "Bob Ltd"]),
            ("filter: {industry: {eq: \"tech\"}, status: {ne: \"closed\"}}", vec!["Ada Inc"]),
            ("filter: {or: [{industry: {eq: \"food\"}}, {status: {in: [\"closed\"]}}]}", vec!["Bob Ltd", "Cid AG"]),
            ("filter: {not: {industry: {in: [\"tech\", \"none\"]}}}", vec!["Cid AG"]),
            ("filter: {industry: {in: []}}", vec![]),
            ("filter: {industry: {eq: null}}", vec![]),
            ("filter: {createdAt: {gt: \"2020-01-01T00:00:00Z\"}}", vec!["Ada Inc", "Bob Ltd", "Cid AG"]),
            ("search: \"bob\"", vec!["Bob Ltd"]),
        ] {
            let query = format!("{{ companies({arguments}, sort: {{field: name}}) {{ nodes {{ name }} totalCount }} }}");
            let list = App::data(app.run(&query).await)["companies"].clone();
            let names: Vec<&str> = list["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{arguments}");
            assert_eq!(list["totalCount"], expected.len(), "{arguments}");
        }
    }

    /// A missing scope is an error of its field; the rest is answered. Somebody else's id is as one that never was.
    async fn scopes_and_tenants_hold(bed: Bed) {
        let company = bed.companies(1, 1).await.remove(0);
        let query = "query($id: ID!) { company(id: $id) { name agents { nodes { name } } } agents { nodes { id } } }";
        let partly = bed.scoped(&["companies:read"]).await.run_with(query, json!({"id": company})).await;
        assert_eq!(partly["data"], json!({"company": {"name": "Company 0", "agents": null}, "agents": null}));
        let told: Vec<_> = partly["errors"].as_array().unwrap().iter().map(|error| (&error["extensions"]["code"], error["path"].clone())).collect();
        let code = json!("insufficient_scope");
        let mut paths: Vec<String> = told.iter().map(|(_, path)| path.to_string()).collect();
        paths.sort();
        assert!(told.iter().all(|(known, _)| **known == code), "{partly}");
        assert_eq!(paths, [json!(["agents"]).to_string(), json!(["company", "agents"]).to_string()]);
        let stranger = bed.stranger().await;
        let theirs = stranger.run_with(query, json!({"id": company})).await;
        let never = stranger.run_with(query, json!({"id": "rec_00000000000000000000000000"})).await;
        assert_eq!(theirs, never);
        assert_eq!(theirs["data"], json!({"company": null, "agents": {"nodes": []}}));
        let none = bed.scoped(&[]).await.run_with(query, json!({"id": company})).await;
        assert_eq!(none["data"], json!({"company": null, "agents": null}));
    }

    /// What may be asked for is told; fragments, aliases, directives and variables do what they should.
    async fn the_language_works(bed: Bed) {
        let app = bed.holder().await;
        let company = bed.companies(1, 1).await.remove(0);
        let query = "query Q($id: ID!, $yes: Boolean = true, $no: Boolean!) {
            a: company(id: $id) { ...Names agents @skip(if: $yes) { nodes { id } } ... on Company { status @include(if: $no) } }
            b: company(id: $id) { ...Names ...Names }
        }
        fragment Names on Company { name, ...Ids } fragment Ids on Company { id }
        query Other { __typename }";
        let body = json!({"query": query, "operationName": "Q", "variables": {"id": company, "no": false}});
        let data = App::data(app.post(&body, &[]).await.json());
        let one = json!({"name": "Company 0", "id": company});
        assert_eq!(data, json!({"a": one, "b": one}));
        let schema = App::data(app.run("{ __schema { queryType { name } types { name } } __type(name: \"Company\") { fields { name } } }").await);
        assert_eq!(schema["__schema"]["queryType"]["name"], "Query");
        let fields: Vec<&str> = schema["__type"]["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
        assert!(["id", "name", "agents", "calls", "createdAt", "_version"].iter().all(|name| fields.contains(name)), "{fields:?}");
        for (query, variables, code) in [
            ("{ companies { nodes { nothing } } }", json!({}), "graphql_validation_failed"),
            ("{ company { id } }", json!({}), "graphql_validation_failed"),
            ("{ company(id: 1) }", json!({}), "graphql_validation_failed"),
            ("{ company(", json!({}), "graphql_syntax_error"),
            ("query($id: ID!) { company(id: $id) { id } }", json!({}), "invalid_variable"),
            ("query($id: ID!) { company(id: $id) { id } }", json!({"id": {"a": 1}}), "invalid_variable"),
            ("query A { __typename } query B { __typename }", json!({}), "unknown_operation"),
            ("fragment A on Company { ...B } fragment B on Company { ...A } { companies { nodes { ...A } } }", json!({}), "fragment_cycle"),
        ] {
            let answer = app.run_with(query, variables).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}: {answer}");
            assert!(answer.get("data").is_none(), "{answer}");
        }
    }
}
