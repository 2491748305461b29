//! Reading the blueprint again, by SIGHUP and by `tradewind reload`; endpoints on their way out.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::server::Settings;
use testkit::{Bed, Engine, wait};

use crate::world::{SOON, World, lead};

/// The built-in blueprint as a file that tests change.
struct Changing {
    world: World,
    file: PathBuf,
    text: String,
}

impl Bed for Changing {
    async fn open(engine: Engine) -> Self {
        let shown = Settings::new(&engine).run(&["blueprint", "show", "insurance-leads"]);
        let text = String::from_utf8(shown.stdout).unwrap();
        let file = engine.data_dir().join("product.toml");
        std::fs::write(&file, &text).unwrap();
        let world = World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", file.to_str().unwrap()));
        Self { world, file, text }
    }
}

/// What the tests add: compatible with all that was there.
const MORE: &str = r#"
[[scopes]]
name = "leads:audit"
description = "See leads in the new way"

[[events]]
name = "lead.archived"
description = "A lead was put away"
schema = { type = "object", required = ["leadId"], properties = { leadId = { type = "string" } } }
example = { leadId = "1" }

[[endpoints]]
method = "GET"
path = "/archived-leads"
operation = "list"
resource = "lead"
scope = "leads:audit"
"#;

impl Changing {
    fn write(&self, text: &str) {
        std::fs::write(&self.file, text).unwrap();
    }

    fn reload(&self) -> (bool, String) {
        let output = self.world.server.settings().run(&["reload"]);
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }

    async fn paths(&self) -> Value {
        self.world.server.client().get("/docs/openapi.json").await.expect(200).json()["paths"].clone()
    }
}

testkit::engines! {
    async fn a_new_blueprint_is_served_as_a_whole(bed: Changing) {
        let (world, http) = (&bed.world, bed.world.server.client());
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"rateLimitOverride": {"requests": 100, "window": 3_600_000}})).await;
        let left = |answer: &testkit::http::Response| answer.header("x-ratelimit-remaining").unwrap().parse::<u32>().unwrap();
        key.http.post("/api/v1/leads", &lead("Ada")).await.assert_status(201);
        let before = left(&key.http.get("/api/v1/leads").await.expect(200));
        let (done, said) = bed.reload();
        assert!(done && said.contains("unchanged"), "{said}");
        bed.write(&format!("{}{MORE}", bed.text));
        let (done, said) = bed.reload();
        assert!(done && said.contains("applied"), "{said}");
        assert!(bed.paths().await.get("/api/v1/archived-leads").is_some());
        let names = key.http.get("/api/v1/scopes").await.expect(200).text();
        assert!(names.contains("leads:audit"), "{names}");
        // The old key was made without the scope; records, limits and idempotency go on where they stood.
        let answer = key.http.get("/api/v1/leads").await.expect(200);
        assert_eq!(answer.json()["pagination"]["total"], 1, "{}", answer.text());
        assert!(left(&answer) < before, "limits go on counting: {} then {}", before, left(&answer));
        let new = tenant.key_scoped(&["leads:audit"]).await;
        new.http.get("/api/v1/archived-leads").await.assert_status(200);
        tenant.publish("lead.archived", &json!({"leadId": "1"})).await;
        http.get("/health/ready").await.assert_status(200);
        let metrics = Client::new(world.server.admin_base()).get("/metrics").await.expect(200).text();
        assert!(metrics.contains("tradewind_reloads_total{outcome=\"applied\"} 1"), "{metrics}");
    }

    async fn what_is_faulty_or_breaks_callers_is_refused_with_the_reason(bed: Changing) {
        let without_endpoint = bed.text.replacen("[[endpoints]]", "[[endpointz]]", 1);
        let other_body = bed.text.replace("id_header = \"X-Webhook-Id\"", "id_header = \"X-Other-Id\"");
        for (what, text, word) in [
            ("no blueprint at all", "name = ".to_owned(), "product.toml"),
            ("an unknown section", without_endpoint, "endpointz"),
            ("another path", bed.text.replace("path = \"/leads\"", "path = \"/prospects\""), "breaks those who rely"),
            ("other deliveries", other_body, "restart"),
        ] {
            assert_ne!(text, bed.text, "{what}");
            bed.write(&text);
            let (done, said) = bed.reload();
            assert!(!done && said.contains("refused") && said.contains(word), "{what}: {said}");
            let paths = bed.paths().await;
            assert!(paths.get("/api/v1/leads").is_some() && paths.get("/api/v1/prospects").is_none(), "{what}");
        }
        assert!(bed.world.server.stderr().contains("the blueprint was not reloaded"));
    }

    async fn sighup_reloads_and_readers_come_back(bed: Changing) {
        let tenant = bed.world.tenant("Acme").await;
        // A poll that waits is ended, not left with the blueprint of before.
        let waiting = tenant.host.clone();
        let poll = tokio::spawn(async move { waiting.get("/api/v1/events/poll?consumer=one&waitSeconds=25").await.status });
        bed.write(&format!("{}{MORE}", bed.text));
        bed.world.server.signal(rustix::process::Signal::HUP);
        wait::until("the new route", SOON, async || bed.paths().await.get("/api/v1/archived-leads").cloned()).await;
        let ended = tokio::time::timeout(Duration::from_secs(15), poll).await.expect("the poll ended long before its time").unwrap();
        assert!(ended.is_success() || ended == 503, "{ended}");
    }

    async fn endpoints_on_their_way_out_say_so(bed: Changing) {
        let key = bed.world.tenant("Acme").await.key().await;
        let fields = "deprecated_at = \"2026-01-31\"\nsunset_at = \"2027-06-30\"\nsuccessor = \"/api/v2/leads\"\n";
        let (first, rest) = bed.text.split_once("[[endpoints]]\n").unwrap();
        bed.write(&format!("{first}[[endpoints]]\n{fields}{rest}"));
        let (done, said) = bed.reload();
        assert!(done, "{said}");
        let document = bed.paths().await;
        let (path, method) = document
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, operations)| operations.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation)))
            .find(|(_, _, operation)| operation["deprecated"] == true)
            .map(|(path, method, _)| (path.clone(), method.to_uppercase()))
            .expect("one operation is deprecated");
        let answer = key.http.request(method.parse().unwrap(), &path.replace("{id}", "1")).send().await;
        assert_eq!(answer.header("deprecation"), Some("@1769817600"), "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("sunset"), Some("Wed, 30 Jun 2027 00:00:00 GMT"));
        assert_eq!(answer.header("link"), Some("</api/v2/leads>; rel=\"successor-version\""));
        // Refusals say it too: whoever is refused still calls.
        let refused = bed.world.server.client().request(method.parse().unwrap(), &path.replace("{id}", "1")).send().await;
        assert_eq!((refused.status.as_u16(), refused.header("deprecation")), (401, Some("@1769817600")));
        let other = key.http.get("/api/v1/scopes").await;
        assert_eq!(other.header("deprecation"), None);
    }
}
