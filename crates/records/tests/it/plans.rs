//! No list reads all records: the plans of its statements, on PostgreSQL as the application's role under row-level security.

use serde_json::json;

use crate::bed::Bed;

/// A walk that PostgreSQL thinks dear: it looks into two tables for each of its rows.
const DEAR: &str = "WITH q AS MATERIALIZED (SELECT p.record_id, p.value FROM record_fields p WHERE p.tenant_id = 't' AND p.resource = 'lead' AND p.field = 'status' AND COALESCE((SELECT v.value FROM record_fields v WHERE v.tenant_id = 't' AND v.record_id = p.record_id AND v.field = 'status'), '') = 'sNEW' AND (SELECT t.search_text FROM records t WHERE t.tenant_id = 't' AND t.id = p.record_id) LIKE '%ada%' ESCAPE '!' ORDER BY p.value DESC, p.created_at DESC, p.record_id DESC LIMIT 51 OFFSET 0) SELECT r.id, q.value FROM q CROSS JOIN records r WHERE r.tenant_id = 't' AND r.id = q.record_id";

/// Each statement as it is made in `records/list`, `search` and `fields`, with the index that it must read and what must not be in its plan.
const STATEMENTS: [(&str, &[&str], &str); 13] = [
    ("a value and a text, in the order of a member", &["record_fields_value", "records_pkey|sqlite_autoindex_records_1"], DEAR),
    (
        "a plain list",
        &["records_newest"],
        "SELECT r.id FROM records r WHERE r.tenant_id = 't' AND r.resource = 'lead' AND (r.created_at, r.id) < (9, 'x') ORDER BY r.created_at DESC, r.id DESC LIMIT 51 OFFSET 0",
    ),
    (
        "the records of a value",
        &["record_fields_value", "records_pkey|sqlite_autoindex_records_1"],
        "WITH q AS MATERIALIZED (SELECT p.record_id, p.value FROM record_fields p WHERE p.tenant_id = 't' AND p.resource = 'lead' AND p.field = 'status' AND p.value = 'sNEW' AND COALESCE((SELECT v.value FROM record_fields v WHERE v.tenant_id = 't' AND v.record_id = p.record_id AND v.field = 'source'), '') = 'sweb' ORDER BY p.created_at DESC, p.record_id DESC LIMIT 51 OFFSET 0) SELECT r.id FROM q CROSS JOIN records r WHERE r.tenant_id = 't' AND r.id = q.record_id",
    ),
    (
        "a value and a text",
        &["record_fields_value"],
        "WITH q AS MATERIALIZED (SELECT p.record_id, p.value FROM record_fields p WHERE p.tenant_id = 't' AND p.resource = 'lead' AND p.field = 'status' AND p.value = 'sNEW' AND (SELECT t.search_text FROM records t WHERE t.tenant_id = 't' AND t.id = p.record_id) LIKE '%ada%' ESCAPE '!' ORDER BY p.created_at DESC, p.record_id DESC LIMIT 51 OFFSET 0) SELECT r.id FROM q CROSS JOIN records r WHERE r.tenant_id = 't' AND r.id = q.record_id",
    ),
    (
        "in the order of a member",
        &["record_fields_value"],
        "WITH q AS MATERIALIZED (SELECT p.record_id, p.value FROM record_fields p WHERE p.tenant_id = 't' AND p.resource = 'lead' AND p.field = 'score' AND (p.value, p.created_at, p.record_id) > ('n8', 9, 'x') ORDER BY p.value ASC, p.created_at ASC, p.record_id ASC LIMIT 51 OFFSET 0) SELECT r.id, q.value FROM q CROSS JOIN records r WHERE r.tenant_id = 't' AND r.id = q.record_id",
    ),
    (
        "how rare a value is",
        &["record_fields_value"],
        "SELECT COUNT(*) FROM (SELECT 1 FROM record_fields f WHERE f.tenant_id = 't' AND f.resource = 'lead' AND f.field = 'score' AND (f.value >= 'n8' AND f.value < 'o') LIMIT 1000) n",
    ),
    (
        "the places of grams",
        &["record_grams|PRIMARY KEY"],
        "SELECT block, places FROM record_grams WHERE tenant_id = 't' AND resource = 'lead' AND block >= 0 AND block <= 3 AND gram IN ('ada', 'dal')",
    ),
    (
        "the records of places",
        &["record_places|PRIMARY KEY", "records_pkey|sqlite_autoindex_records_1"],
        "SELECT r.id FROM record_places q CROSS JOIN records r WHERE q.tenant_id = 't' AND q.resource = 'lead' AND q.place IN (7, 8) AND r.tenant_id = 't' AND r.id = q.record_id AND r.search_text LIKE '%ada%' ESCAPE '!'",
    ),
    (
        "the places of a value",
        &["record_fields_value", "record_places_record"],
        "SELECT q.place FROM (SELECT p.created_at, p.record_id FROM record_fields p WHERE p.tenant_id = 't' AND p.resource = 'lead' AND p.field = 'status' AND p.value = 'sNEW' LIMIT 500) f CROSS JOIN record_places q WHERE q.tenant_id = 't' AND q.resource = 'lead' AND q.created_at = f.created_at AND q.record_id = f.record_id",
    ),
    (
        "where a search goes on",
        &["record_places_record"],
        "SELECT place FROM record_places WHERE tenant_id = 't' AND resource = 'lead' AND (created_at, record_id) <= (9, 'x') ORDER BY created_at DESC, record_id DESC LIMIT 1",
    ),
    (
        "what a deleted record is found by: values",
        &["record_fields_pkey|sqlite_autoindex_record_fields_1"],
        "DELETE FROM record_fields WHERE tenant_id || '' = 't' AND record_id = 'r'",
    ),
    (
        "what a deleted record is found by: what it alone may have",
        &["record_uniques_record"],
        "DELETE FROM record_uniques WHERE tenant_id || '' = 't' AND record_id = 'r'",
    ),
    (
        "what a deleted record is found by: points of a metric",
        &["record_points_record"],
        "DELETE FROM record_points WHERE tenant_id || '' = 't' AND metric || '' = 'm' AND record_id = 'r'",
    ),
];

testkit::engines! {
    async fn lists_read_their_indexes(bed: Bed) {
        for i in 0..40 {
            bed.lead(&format!("{i}@example.com"), json!({"score": i})).await;
        }
        bed.records.settle().await.unwrap();
        // So many that it matters which index is read.
        let many = "INSERT INTO records (id, tenant_id, resource, document, search_text, revision, created_at, updated_at) \
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) \
                    SELECT 'rec_' || CAST(i AS TEXT), 't', 'lead', '{}', 'ada', 1, i, i FROM n";
        let fields = "INSERT INTO record_fields (tenant_id, resource, field, value, record_id, created_at) \
                      SELECT tenant_id, resource, 'status', 'sNEW', id, created_at FROM records WHERE tenant_id = 't'";
        for sql in [many, fields] {
            bed.store.write(kernel::Scope::system("test"), move |tx| tx.exec(sql, &[])).await.unwrap();
        }
        for (what, indexes, sql) in STATEMENTS {
            // A transaction, in which the settings below hold; what is only read is none on PostgreSQL.
            let plan = bed.store.write(bed.scope(), move |tx| match tx.engine() {
                store::Engine::Sqlite => tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[], |row| row.get::<String>(3)),
                store::Engine::Postgres => {
                    // The tables of a test are too small for an index to be worth its while; a policy that forbids one forbids it still.
                    for off in ["seqscan", "bitmapscan", "hashjoin", "mergejoin", "material"] {
                        tx.exec(&format!("SET LOCAL enable_{off} = off"), &[])?;
                    }
                    tx.query(&format!("EXPLAIN {sql}"), &[], |row| row.get::<String>(0))
                }
            });
            let plan = plan.await.unwrap().join("\n");
            // On SQLite a clustered table is its own index.
            let reads = |index: &str| index.split('|').any(|name| plan.contains(name));
            assert!(indexes.iter().all(|index| reads(index)), "{what}: {plan}");
            assert!(!plan.contains("SCAN record") && !plan.contains("Seq Scan") && !plan.contains("B-TREE"), "{what}: {plan}");
            if bed.store.engine() == store::Engine::Postgres {
                let sorted = plan.lines().filter(|line| line.contains("Sort")).count();
                assert_eq!(sorted, 0, "{what}: {plan}");
                assert!(plan.lines().filter(|line| line.contains("Index") && line.contains("Scan")).count() >= indexes.len(), "{what}: {plan}");
            }
        }
        // As it is planned with nothing switched off, by what the engine knows of these tables; only their owner may have it look.
        if let Some(url) = bed.engine.database_url() {
            let looked = std::process::Command::new("psql").args(["-q", &url, "-c", "ANALYZE records, record_fields"]).status().unwrap();
            assert!(looked.success());
            let plan = bed.store.write(bed.scope(), |tx| tx.query(&format!("EXPLAIN {DEAR}"), &[], |row| row.get::<String>(0)));
            let plan = plan.await.unwrap().join("\n");
            assert!(plan.contains("Scan") && !plan.contains("Seq Scan on records"), "a scan for each row of a dear walk: {plan}");
        }
    }
}
