//! Addresses that a webhook must not have, where no private network is allowed. All are refused alike: `url_refused`, at `/url`.

use serde_json::json;
use testkit::Engine;

use super::{assert_points, counts};
use crate::world::World;

fn hostile() -> Vec<String> {
    let special_addresses = [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST/",
        "https://LOCALHOST./",
        "https://nobody-answers.localhost/",
        "http://0.0.0.0/",
        "http://0/",
        "http://10.0.0.1/",
        "http://172.16.5.4/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:169.254.169.254]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://198.18.0.1/",
        "https://127.0.0.1:8443/hook",
        "http://①②⑦.0.0.1/",
    ];
    let other_schemes = [
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://example.com/",
        "data:text/plain,x",
        "ws://example.com/",
        "unix:/run/x.sock",
    ];
    let malformed = [
        "",
        "example.com",
        "//example.com/",
        "/hook",
        "https://",
        "https://exa mple.com/",
        "https://example.com/\\evil",
        "https://example.com/\r\nx: y",
        "https://example.com/a\tb",
        "https://[::1",
        "https://example.com:99999/",
        "http://256.256.256.256/",
        "https://%00/",
        "https://exam\u{0}ple.com/",
        "https://user:secret@93.184.215.14/",
        "https://user@127.0.0.1/",
        "https://@93.184.215.14/",
        "https://93.184.215.14:0/",
    ];
    let all = special_addresses.into_iter().chain(other_schemes).chain(malformed).map(str::to_owned);
    all.chain([format!("https://93.184.215.14/{}", "a".repeat(3000))]).collect()
}

testkit::engines! {
    async fn are_refused_at_creation_and_change(engine: Engine) {
        let world = World::start(engine, |settings| settings.unset("TRADEWIND_ALLOW_NETWORKS"));
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let hook = tenant.webhook("https://93.184.215.14/hook", &["*"]).await;
        let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let before = counts(&tenant).await;
        for url in hostile() {
            // NUL is found earlier, wherever it stands.
            let code = if url.contains('\0') { "validation_failed" } else { "url_refused" };
            let body = json!({"url": url, "events": ["*"]});
            assert_points(&format!("POST {url}"), &key.http.post(&path, &body).await, code, "/url");
            for (what, answer) in [
                ("PUT", key.http.put(&format!("{path}/{}", hook.id), &body).await),
                ("PATCH", key.http.patch(&format!("/api/v1/webhooks/{}", hook.id), &json!({"url": url})).await),
            ] {
                assert_points(&format!("{what} {url}"), &answer, code, "/url");
            }
        }
        let kept = tenant.host.get(&format!("/api/v1/webhooks/{}", hook.id)).await.expect(200).json();
        assert_eq!(kept["url"], "https://93.184.215.14/hook");
        assert_eq!(counts(&tenant).await, before);
    }

    /// A client's `webhookUrl` makes a subscription, so it passes the same guard.
    async fn are_refused_as_a_clients_address(engine: Engine) {
        let world = World::start(engine, |settings| settings.unset("TRADEWIND_ALLOW_NETWORKS"));
        let tenant = world.tenant("Acme").await;
        let before = counts(&tenant).await;
        for url in ["http://127.0.0.1/", "http://169.254.169.254/", "ftp://example.com/", "https://u:p@example.com/", "nonsense", "https://LOCALHOST./"] {
            let answer = tenant.host.post("/api/v1/api-clients", &json!({"name": "Client", "webhookUrl": url})).await;
            assert_eq!(answer.status, 422, "{url}: {}", answer.text());
            crate::world::assert_is_problem(url, &answer);
        }
        assert_eq!(counts(&tenant).await, before);
    }

    async fn plain_http_is_refused_in_production(engine: Engine) {
        let world = World::start(engine, |settings| settings.set("TRADEWIND_ENV", "production"));
        let tenant = world.tenant("Acme").await;
        let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let answer = tenant.host.post(&path, &json!({"url": "http://93.184.215.14/", "events": ["*"]})).await;
        assert_points("http in production", &answer, "url_refused", "/url");
        tenant.webhook("https://93.184.215.14/", &["*"]).await;
    }
}
