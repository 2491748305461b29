//! A changed blueprint over live data: at start, at a reload, one step back, and on two servers.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::server::Settings;
use testkit::{Bed, Engine, engine};

use crate::two_nodes::second;
use crate::world::{Tenant, World, rows, text};

/// A shop whose file is changed.
struct Shop {
    world: World,
    file: PathBuf,
}

const HEAD: &str = r#"
name = "shop"
default_tier = "basic"
[product]
title = "Shop"
description = ""
[style]
base_path = "/api/shop"
[keys]
prefix = "sh"
[[tiers]]
name = "basic"
per_minute = 1000
[[scopes]]
name = "orders"
description = "Orders"
[[scopes]]
name = "labels"
description = "Labels"
"#;

const LABEL: &str = r#"
[[resources]]
name = "label"
plural = "labels"
schema = { type = "object", properties = { text = { type = "string" } } }
"#;

/// A list of orders with these lines in its declaration and members in its schema.
fn order(lines: &str, required: &str, members: &str) -> String {
    format!(
        "[[resources]]\nname = \"order\"\nplural = \"orders\"\n{lines}\n[resources.schema]\ntype = \"object\"\nrequired = [{required}]\n\
         [resources.schema.properties]\ntitle = {{ type = \"string\" }}\n{members}\n\
         [[endpoints]]\nmethod = \"GET\"\npath = \"/orders\"\noperation = \"list\"\nresource = \"order\"\nscope = \"orders\"\n"
    )
}

fn first() -> String {
    format!("{HEAD}{}", order("", "\"title\"", "size = { type = \"integer\" }"))
}

impl Bed for Shop {
    async fn open(engine: Engine) -> Self {
        let file = engine.data_dir().join("shop.toml");
        std::fs::write(&file, first()).unwrap();
        let world = World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", file.to_str().unwrap()));
        Self { world, file }
    }
}

impl Shop {
    fn write(&self, text: &str) {
        std::fs::write(&self.file, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> (bool, String) {
        ran(self.world.server.settings(), args)
    }

    /// The verdict of `check --against applied`, of a reload, and of a start: all say no, with these words.
    #[track_caller]
    fn refused_everywhere(&mut self, text: &str, words: &[&str]) {
        self.write(text);
        let file = self.file.to_str().unwrap().to_owned();
        let (checked, verdict) = self.run(&["blueprint", "check", &file, "--against", "applied"]);
        let (reloaded, said) = self.run(&["reload"]);
        self.world.server.terminate();
        let start = self.world.server.try_restart();
        let error = start.expect_err("the start is refused");
        for (what, done, answer) in [("check", checked, &verdict), ("reload", reloaded, &said), ("start", false, &error)] {
            assert!(!done, "{what}: {answer}");
            for word in words {
                assert!(answer.contains(word), "{what} without {word:?}: {answer}");
            }
        }
        self.write(&first());
        self.world.server.restart();
    }

    async fn versions(&self) -> Vec<Value> {
        let output = self.world.server.settings().run(&["blueprint", "versions", "--format", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        rows(&serde_json::from_slice(&output.stdout).unwrap()).clone()
    }
}

fn ran(settings: &Settings, args: &[&str]) -> (bool, String) {
    let output = settings.run(args);
    (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
}

async fn orders(tenant: &Tenant, bodies: &[Value]) -> Vec<String> {
    let mut ids = Vec::new();
    for body in bodies {
        ids.push(text(&tenant.host.post("/api/v1/records/order", body).await.expect(201).json()["id"]));
    }
    ids
}

testkit::engines! {
    /// Additions are applied by a reload and by a start, and what is new finds what is old.
    async fn additions_are_applied_at_once(shop: Shop) {
        let mut shop = shop;
        let tenant = shop.world.tenant("Acme").await;
        orders(&tenant, &[json!({"title": "a", "size": 1}), json!({"title": "b", "size": 2})]).await;
        let more = format!("{HEAD}{}{LABEL}", order("filters = [\"size\"]\nsearch = [\"title\"]", "\"title\"", "size = { type = \"integer\" }"));
        shop.write(&more);
        let (done, said) = shop.run(&["reload"]);
        assert!(done && said.contains("applied"), "{said}");
        let found = tenant.host.get("/api/v1/records/order?size=2").await.expect(200).json();
        assert_eq!((rows(&found).len(), &found["data"][0]["title"]), (1, &json!("b")));
        assert_eq!(rows(&tenant.host.get("/api/v1/records/order?search=A").await.expect(200).json()).len(), 1);
        tenant.host.post("/api/v1/records/label", &json!({"text": "x"})).await.assert_status(201);
        // A new required member with a default: the records that are there get it, and can be found by it.
        let region = "size = { type = \"integer\" }\nregion = { type = \"string\", default = \"north\" }";
        shop.write(&format!("{HEAD}{}{LABEL}", order("filters = [\"size\", \"region\"]\nsearch = [\"title\"]", "\"title\", \"region\"", region)));
        shop.world.server.terminate();
        shop.world.server.restart();
        let north = tenant.host.get("/api/v1/records/order?region=north").await.expect(200).json();
        assert_eq!((rows(&north).len(), &north["data"][0]["region"]), (2, &json!("north")));
        let versions = shop.versions().await;
        let numbers: Vec<(&Value, &Value)> = versions.iter().map(|version| (&version["number"], &version["how"])).collect();
        assert_eq!(numbers, [(&json!(3), &json!("start")), (&json!(2), &json!("reload")), (&json!(1), &json!("start"))]);
        assert!(versions.iter().all(|version| version["appliedBy"].as_str().unwrap().contains("process") && version["appliedAt"].is_string()));
        let shown = shop.world.server.settings().run(&["blueprint", "versions", "--show", "2"]).stdout;
        assert_eq!(String::from_utf8(shown).unwrap().trim_end(), more.trim_end());
    }

    /// What is stored is not contradicted: by no start, no reload, and the check says so before.
    async fn what_contradicts_live_data_is_refused(shop: Shop) {
        let mut shop = shop;
        let tenant = shop.world.tenant("Acme").await;
        let ids = orders(&tenant, &[json!({"title": "same", "size": 1}), json!({"title": "same", "size": 20})]).await;
        tenant.key_scoped(&["labels"]).await;
        let size = "size = { type = \"integer\" }";
        shop.refused_everywhere(&format!("{HEAD}{LABEL}"), &["resources[\"order\"]", "2 records", "export and delete them first"]);
        let required = format!("{HEAD}{}", order("", "\"title\", \"region\"", &format!("{size}\nregion = {{ type = \"string\" }}")));
        shop.refused_everywhere(&required, &["2 records break", "region", "a default"]);
        let narrowed = format!("{HEAD}{}", order("", "\"title\"", "size = { type = \"integer\", maximum = 10 }"));
        shop.refused_everywhere(&narrowed, &["1 record breaks", &ids[1], "/size"]);
        let unique = format!("{HEAD}{}", order("unique = [\"title\"]", "\"title\"", size));
        shop.refused_everywhere(&unique, &["title is to be unique", &ids[1]]);
        let without_scope = first().replacen("[[scopes]]\nname = \"labels\"\ndescription = \"Labels\"\n", "", 1);
        shop.refused_everywhere(&without_scope, &["scopes[\"labels\"]", "1 key", "PATCH /api/v1/api-keys"]);
        let listed = tenant.host.get("/api/v1/records/order").await.expect(200).json();
        assert_eq!(rows(&listed).len(), 2, "nothing was changed");
        assert_eq!(shop.versions().await.len(), 1);
        // The way out, gone: then it may.
        for id in &ids {
            tenant.host.delete(&format!("/api/v1/records/order/{id}")).await.assert_status(204);
        }
        shop.write(&narrowed);
        let (done, said) = shop.run(&["reload"]);
        assert!(!done && said.contains("breaks those who rely") && said.contains("restart"), "callers are promised more: {said}");
        shop.world.server.terminate();
        shop.world.server.restart();
        tenant.host.post("/api/v1/records/order", &json!({"title": "c", "size": 11})).await.assert_problem(422, "validation_failed");
        assert!(shop.world.server.stderr().contains("the new blueprint breaks those who rely on the one before"));
    }

    /// One step back takes effect while the server runs, and holds over a restart, although the file says otherwise.
    async fn one_step_back(shop: Shop) {
        let mut shop = shop;
        let tenant = shop.world.tenant("Acme").await;
        shop.write(&format!("{}{LABEL}", first()));
        assert!(shop.run(&["reload"]).0);
        tenant.host.get("/api/v1/records/label").await.assert_status(200);
        let (done, said) = shop.run(&["blueprint", "rollback", "--note", "labels were too early", "--by", "ada"]);
        assert!(done && said.contains("restores version 1: labels were too early") && said.contains("applied"), "{said}");
        tenant.host.get("/api/v1/records/label").await.assert_problem(404, "not_found");
        shop.world.server.terminate();
        shop.world.server.restart();
        tenant.host.get("/api/v1/records/label").await.assert_problem(404, "not_found");
        assert!(shop.world.server.stderr().contains("ada went a step back"), "{}", shop.world.server.stderr());
        // Forward again, and then back over data: refused.
        let (done, said) = shop.run(&["blueprint", "rollback"]);
        assert!(done, "{said}");
        tenant.host.post("/api/v1/records/label", &json!({"text": "x"})).await.assert_status(201);
        let (done, said) = shop.run(&["blueprint", "rollback"]);
        assert!(!done && said.contains("1 record") && said.contains("resources[\"label\"]"), "{said}");
        tenant.host.get("/api/v1/records/label").await.assert_status(200);
        let versions = shop.versions().await;
        assert_eq!((versions.len(), &versions[0]["restores"], &versions[1]["note"]), (4, &json!(2), &json!("labels were too early")));
        assert_eq!(versions[1]["appliedBy"], "ada");
    }

    /// Somebody goes a step back because the file is broken: what is in force then is served, whatever the file says.
    async fn one_step_back_from_a_broken_file(shop: Shop) {
        let tenant = shop.world.tenant("Acme").await;
        shop.write(&format!("{}{LABEL}", first()));
        assert!(shop.run(&["reload"]).0);
        for broken in ["this is no blueprint".to_owned(), first().replacen("[[scopes]]\nname = \"labels\"\ndescription = \"Labels\"\n", "", 1)] {
            tenant.host.get("/api/v1/records/label").await.assert_status(200);
            shop.write(&broken);
            assert!(!shop.run(&["reload"]).0);
            tenant.host.get("/api/v1/records/label").await.assert_status(200);
            let (done, said) = shop.run(&["blueprint", "rollback"]);
            assert!(!done && said.contains("the version that is in force is served now"), "{said}");
            tenant.host.get("/api/v1/records/label").await.assert_problem(404, "not_found");
            // And forward again.
            let (_, said) = shop.run(&["blueprint", "rollback"]);
            assert!(said.contains("the version that is in force is served now"), "{said}");
        }
        tenant.host.get("/api/v1/records/label").await.assert_status(200);
    }
}

/// The second server applies what only adds; what would break the first one's callers keeps it from starting.
#[test]
fn two_servers_with_two_files() {
    engine::run(Engine::postgres(), async |shop: Shop| {
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("other.toml");
        let tenant = shop.world.tenant("Acme").await;
        std::fs::write(&other, format!("{HEAD}{LABEL}")).unwrap();
        let master = "master.key";
        std::fs::copy(shop.world.engine.data_dir().join(master), dir.path().join(master)).unwrap();
        let beside = || shop.world.server.settings().second_node(dir.path().to_owned()).set("TRADEWIND_BLUEPRINT", other.to_str().unwrap());
        let refused = beside().try_start().expect_err("it does not start");
        assert!(refused.contains("is served by others") && refused.contains("resources[\"order\"]"), "{refused}");
        std::fs::write(&other, format!("{}{LABEL}", first())).unwrap();
        let second = beside().start();
        second
            .client()
            .bearer(&shop.world.service_key)
            .with("tradewind-tenant", &tenant.id)
            .get("/api/v1/records/label")
            .await
            .assert_status(200);
        // The first goes on with what it has: its file lacks what the second's callers rely on by now.
        let (done, said) = shop.run(&["reload"]);
        assert!(!done && said.contains("resources[\"label\"]") && said.contains("version 2"), "{said}");
        tenant.host.get("/api/v1/records/order").await.assert_status(200);
        shop.write(&format!("{}{LABEL}", first()));
        let (done, said) = shop.run(&["reload"]);
        assert!(done, "{said}");
        tenant.host.get("/api/v1/records/label").await.assert_status(200);
        assert_eq!(shop.versions().await.len(), 2);
        drop(second);
        // Under the file that it began with, `second` from the other tests starts too.
        drop(self::second(&shop.world, &tempfile::tempdir().unwrap()));
    });
}
