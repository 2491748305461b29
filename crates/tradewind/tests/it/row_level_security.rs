//! PostgreSQL guards the tenants even from our own statements: as `tradewind_app`, with another tenant set, nothing is seen and nothing
//! can be written.

use testkit::{Engine, engine};

use crate::world::{World, lead};

/// Looks at every table with `tenant_id`, partitions included, for the tenants `{A}` and `{B}`.
const CHECK: &str = r"
DO $check$
DECLARE
    place record; seen bigint; own bigint; total bigint := 0; tables int := 0; columns text; outcome text;
BEGIN
    FOR place IN
        SELECT c.oid, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND NOT a.attisdropped
        ORDER BY c.relname
    LOOP
        tables := tables + 1;
        -- A partition is reached through its parent; on its own it must be closed to the application, or guarded too.
        IF place.relispartition THEN
            IF has_table_privilege('tradewind_app', place.oid, 'SELECT, INSERT, UPDATE, DELETE') AND NOT place.relforcerowsecurity THEN
                RAISE EXCEPTION 'the partition % is open to the application without row-level security', place.relname;
            END IF;
            CONTINUE;
        END IF;
        IF NOT place.relrowsecurity OR NOT place.relforcerowsecurity THEN
            RAISE EXCEPTION 'row-level security is not forced on %', place.relname;
        END IF;
        EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id = $1', place.relname) INTO own USING '{A}';
        total := total + own;
        SET LOCAL ROLE tradewind_app;
        PERFORM set_config('tradewind.tenant', '{B}', true);
        EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id = $1', place.relname) INTO seen USING '{A}';
        IF seen <> 0 THEN
            RAISE EXCEPTION '% shows % rows of another tenant', place.relname, seen;
        END IF;
        EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id <> $1', place.relname) INTO seen USING '{B}';
        IF seen <> 0 THEN
            RAISE EXCEPTION '% shows % rows of strangers', place.relname, seen;
        END IF;
        PERFORM set_config('tradewind.tenant', '', true);
        -- The operator's own audit chain stands under the empty name.
        EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id <> $1', place.relname) INTO seen USING '';
        IF seen <> 0 THEN
            RAISE EXCEPTION '% shows % rows to nobody', place.relname, seen;
        END IF;
        -- With its own tenant the same role does see them: the emptiness above is the policy's doing.
        PERFORM set_config('tradewind.tenant', '{A}', true);
        EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id = $1', place.relname) INTO seen USING '{A}';
        IF seen <> own THEN
            RAISE EXCEPTION '% shows % of its % own rows', place.relname, seen, own;
        END IF;
        -- A copy of an own row, and a row of mere defaults, are refused for another tenant before any constraint is looked at.
        PERFORM set_config('tradewind.tenant', '{B}', true);
        RESET ROLE;
        SELECT string_agg(
            CASE WHEN a.attname = 'tenant_id' THEN quote_literal('{A}')
                 WHEN format_type(a.atttypid, NULL) IN ('bigint', 'double precision', 'integer') THEN '1'
                 WHEN format_type(a.atttypid, NULL) = 'bytea' THEN quote_literal('x') || '::bytea'
                 ELSE quote_literal('x') END, ', ' ORDER BY a.attnum)
        INTO columns FROM pg_attribute a WHERE a.attrelid = place.oid AND a.attnum > 0 AND NOT a.attisdropped;
        SET LOCAL ROLE tradewind_app;
        outcome := 'accepted';
        BEGIN
            EXECUTE format('INSERT INTO %I VALUES (%s)', place.relname, columns);
        EXCEPTION WHEN insufficient_privilege THEN
            outcome := 'refused';
        END;
        IF outcome <> 'refused' THEN
            RAISE EXCEPTION '% accepts a row for another tenant', place.relname;
        END IF;
        BEGIN
            EXECUTE format('UPDATE %I SET tenant_id = tenant_id WHERE tenant_id = $1', place.relname) USING '{A}';
            GET DIAGNOSTICS seen = ROW_COUNT;
            EXECUTE format('DELETE FROM %I WHERE tenant_id = $1', place.relname) USING '{A}';
            GET DIAGNOSTICS own = ROW_COUNT;
        EXCEPTION WHEN insufficient_privilege THEN
            -- The application may not change such rows at all (the audit log is only appended to).
            seen := 0; own := 0;
        END;
        IF seen <> 0 OR own <> 0 THEN
            RAISE EXCEPTION '% lets % rows of another tenant be changed and % deleted', place.relname, seen, own;
        END IF;
        RESET ROLE;
    END LOOP;
    IF tables < 10 OR total < 10 THEN
        RAISE EXCEPTION 'only % tables and % rows were looked at', tables, total;
    END IF;
END $check$;";

/// The application's role can neither sign in nor pass the policies by.
const ROLE: &str = r"
DO $check$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tradewind_app' AND NOT rolcanlogin AND NOT rolsuper AND NOT rolbypassrls) THEN
        RAISE EXCEPTION 'tradewind_app is not a role without login and without bypass';
    END IF;
END $check$;";

#[test]
fn every_tenants_table_is_closed_to_other_tenants() {
    engine::run(Engine::postgres(), async |world: World| {
        let (a, b) = (world.tenant("A").await, world.tenant("B").await);
        for tenant in [&a, &b] {
            let key = tenant.key().await;
            tenant.webhook("http://127.0.0.1:9/", &["*"]).await;
            let request = key.http.request("POST".parse().unwrap(), "/api/v1/leads").header("idempotency-key", "one");
            request.json(&lead("Ada")).send().await.assert_status(201);
            tenant.publish("lead.created", &serde_json::json!({"leadId": "1"})).await;
        }
        let database = world.engine.database().unwrap();
        database.admin(ROLE);
        let check = CHECK.replace("{A}", &a.id).replace("{B}", &b.id);
        database.admin(&check);
        // The check itself can fail: a table without its policy is found.
        for undo in ["ALTER TABLE clients NO FORCE ROW LEVEL SECURITY", "CREATE POLICY hole ON api_keys USING (true)"] {
            database.admin(undo);
            let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| database.admin(&check)));
            assert!(found.is_err(), "{undo} was not noticed");
            database.admin("ALTER TABLE clients FORCE ROW LEVEL SECURITY");
        }
    });
}
