//! GraphQL over HTTP: forms, statuses, methods, persisted queries; and the page.

use http::Method;
use serde_json::json;

use crate::bed::Bed;

const GRAPHQL: (&str, &str) = ("accept", "application/graphql-response+json");

testkit::engines! {
    /// The form says whether the status tells what became of the operation.
    async fn forms_and_statuses(bed: Bed) {
        let app = bed.holder().await;
        for (body, json_status, graphql_status) in [
            (json!({"query": "{ __typename }"}), 200, 200),
            (json!({"query": "{"}), 200, 400),
            (json!({"query": "{ nothing }"}), 200, 400),
            (json!({"query": "query($a: ID!) { company(id: $a) { id } }"}), 200, 400),
            (json!({"query": "{ company(id: \"x\") { id } }"}), 200, 200),
            (json!({"query": 1}), 400, 400),
            (json!({}), 400, 400),
            (json!("text"), 400, 400),
        ] {
            let plain = app.post(&body, &[]).await;
            assert_eq!((plain.status, plain.header("content-type")), (json_status, "application/json; charset=utf-8"), "{body}: {}", plain.text);
            let typed = app.post(&body, &[GRAPHQL]).await;
            let content_type = "application/graphql-response+json; charset=utf-8";
            assert_eq!((typed.status, typed.header("content-type")), (graphql_status, content_type), "{body}: {}", typed.text);
            assert!(typed.status == 200 || typed.json().get("data").is_none(), "{}", typed.text);
        }
        let odd = app.send(Method::POST, "/graphql", &[("content-type", "text/plain")], "{}".into()).await;
        assert_eq!((odd.status, odd.json()["code"].clone()), (415, json!("unsupported_media_type")));
        let odd = app.send(Method::POST, "/graphql", &[("content-type", "application/json")], "{".into()).await;
        assert_eq!((odd.status, odd.json()["code"].clone()), (400, json!("malformed_json")));
        let odd = app.post(&json!({"query": "{ __typename }"}), &[("accept", "text/html")]).await;
        assert_eq!(odd.json()["code"], "not_acceptable");
    }

    /// A GET asks and changes nothing.
    async fn by_get(bed: Bed) {
        let app = bed.holder().await;
        let found = app.get("/graphql?query=query(%24a%3A%20ID!)%7Bcompany(id%3A%24a)%7Bid%7D%7D&variables=%7B%22a%22%3A%22x%22%7D", &[]).await;
        assert_eq!((found.status, found.json()), (200, json!({"data": {"company": null}})));
        let refused = app.get("/api/v1/graphql?query=mutation%7BcreateCompany(input%3A%7Bname%3A%22A%22%7D)%7Bid%7D%7D", &[]).await;
        assert_eq!((refused.status, refused.header("allow")), (405, "POST"), "{}", refused.text);
        assert_eq!(app.get("/graphql?query=%7Bcompanies%7BtotalCount%7D%7D", &[]).await.json()["data"]["companies"]["totalCount"], 0);
        assert_eq!(app.get("/graphql", &[]).await.status, 400);
    }

    /// A document that was sent once is known by its hash, to its tenant.
    async fn persisted_queries(bed: Bed) {
        let app = bed.holder().await;
        let hash = "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b";
        let by_hash = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
        let unknown = app.post(&by_hash, &[]).await;
        assert_eq!((unknown.status, unknown.json()["errors"][0]["message"].clone()), (200, json!("PersistedQueryNotFound")));
        assert_eq!(unknown.json()["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
        let mut both = by_hash.clone();
        both["query"] = json!("{ __typename }");
        let wrong = app.post(&json!({"query": "{ a: __typename }", "extensions": by_hash["extensions"]}), &[]).await;
        assert_eq!(wrong.json()["errors"][0]["extensions"]["code"], "persisted_query_mismatch");
        // The hash of what is sent, computed here.
        let own: String = sha256("{ __typename }");
        both["extensions"]["persistedQuery"]["sha256Hash"] = json!(own);
        assert_eq!(app.post(&both, &[]).await.json()["data"], json!({"__typename": "Query"}));
        both.as_object_mut().unwrap().remove("query");
        assert_eq!(app.post(&both, &[]).await.json()["data"], json!({"__typename": "Query"}));
        assert!(bed.stranger().await.post(&both, &[]).await.json().get("data").is_none(), "another tenant has not sent it");
    }

    /// Without a credential nothing is told; the page loads its own files only.
    async fn doors_and_page(bed: Bed) {
        let app = bed.holder().await;
        let mut nobody = app.clone();
        nobody.forget_key();
        for answer in [nobody.post(&json!({"query": "{ __typename }"}), &[]).await, nobody.get("/graphql?query=%7B__typename%7D", &[]).await] {
            assert_eq!(answer.status, 401);
            assert!(answer.headers.contains_key("www-authenticate"));
        }
        let page = nobody.get("/docs/graphql", &[]).await;
        assert_eq!(page.status, 200);
        assert!(page.header("content-security-policy").contains("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(!page.text.contains("http://") && !page.text.contains("https://") && !page.text.contains("style=") && !page.text.contains("onclick"));
        let files: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("/docs/graphql/")).collect();
        assert_eq!(files.len(), 2);
        for file in files {
            let file = nobody.get(file, &[]).await;
            assert_eq!(file.status, 200);
            assert!(!file.text.contains("http://") && !file.text.contains("https://") && !file.text.contains("eval(") && !file.text.contains("innerHTML"));
        }
        assert_eq!(nobody.get("/docs/graphql/other.js", &[]).await.status, 404);
        assert_eq!(app.get("/api/v1/graphql?query=%7B__typename%7D", &[]).await.json()["data"]["__typename"], "Query");
    }
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
