//! `/health/ready` part by part.

use serde_json::json;
use testkit::{Engine, engine, wait};

use crate::world::{SOON, World};

testkit::engines! {
    async fn a_sound_server_is_ready(world: World) {
        let answer = world.server.client().get("/health/ready").await.expect(200).json();
        for part in ["database", "logs", "dispatch", "migrations"] {
            assert_eq!(answer["checks"][part], "ok", "{answer}");
        }
        assert_ne!(answer["status"], "unready", "{answer}");
        assert_eq!(world.server.client().get("/health/live").await.expect(200).json(), json!({"status": "ok"}));
    }
}

#[test]
fn a_server_without_its_database_is_not_ready_and_comes_back() {
    engine::run(Engine::postgres(), async |world: World| {
        let database = world.engine.database().unwrap();
        let name = database.name();
        let client = world.server.client();
        // As the superuser, in a database of its own connection's: nobody new gets in, and who is in is put out.
        database.admin(&format!(
            "ALTER DATABASE {name} CONNECTION LIMIT 0; SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        ));
        let answer = wait::until("503", SOON, async || {
            let answer = client.get("/health/ready").await;
            (answer.status == 503).then_some(answer)
        })
        .await;
        let body = answer.json();
        assert_eq!((&body["status"], &body["checks"]["database"]), (&json!("unready"), &json!("unready")), "{body}");
        client.get("/health/live").await.assert_status(200);
        database.admin(&format!("ALTER DATABASE {name} CONNECTION LIMIT -1"));
        wait::until("200", SOON, async || (client.get("/health/ready").await.status == 200).then_some(())).await;
    });
}
