//! How we present ourselves to receivers: access tokens, certificates, and the way through a proxy.

use std::sync::Arc;
use std::time::Duration;

use dispatch::http::HttpChannel;
use dispatch::{Dispatch, Policy};
use kernel::DestinationId;
use serde_json::{Value, json};
use testkit::connect_proxy::{Conduct, ConnectProxy};
use testkit::receiver::{Answer, Received, Receiver};
use testkit::tls::{Authority, server};
use web::outbound::{Client, ClientConfig, EgressProxy};

use crate::bed::{Bed, LIMIT, system};
use crate::http::{channel, kinds, policy};

fn once() -> Policy {
    Policy { schedule_ms: Vec::new(), ..Policy::default() }
}

async fn webhook(bed: &Bed, dispatch: &Dispatch, config: Value) -> DestinationId {
    let config = dispatch.channel("http").unwrap().check(&config).await.unwrap();
    let id = bed.destination_on("http", config, once()).await;
    bed.only(&[id]);
    id
}

fn token(text: &str, life: u64) -> Answer {
    let body = json!({ "access_token": text, "token_type": "Bearer", "expires_in": life });
    Answer::status(200).header("content-type", "application/json").body(body.to_string())
}

fn bearer(request: &Received) -> &str {
    request.header("authorization").unwrap_or("none")
}

/// A receiver behind a token endpoint.
struct Guarded {
    dispatch: Arc<Dispatch>,
    tokens: Receiver,
    receiver: Receiver,
}

impl Guarded {
    async fn open(bed: &Bed, change: Value) -> Self {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let (dispatch, tokens, receiver) = (bed.dispatch().await, Receiver::start(), Receiver::start());
        let mut auth = json!({ "type": "oauth2", "tokenUrl": tokens.url("/token?x=1"), "clientId": "me:too", "clientSecret": "hu sh", "scopes": ["a", "b"] });
        for (name, value) in change.as_object().unwrap() {
            auth[name] = value.clone();
        }
        webhook(bed, &dispatch, json!({ "url": receiver.url("/"), "auth": auth })).await;
        Self { dispatch, tokens, receiver }
    }

    /// What the receiver has, once these deliveries have ended.
    async fn publish(&self, bed: &Bed, count: usize, reason: &'static str, ended: i64) {
        bed.publish(count).await;
        bed.wait_ended(reason, ended).await;
        bed.wait_quiet(&self.dispatch).await;
    }
}

testkit::engines! {
    /// A receiver that answers with what it was sent: the log has the answer without our secrets.
    async fn secrets_that_come_back_are_not_kept(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let (dispatch, receiver) = (bed.dispatch().await, Receiver::start());
        let (now, before) = ("bmV3ZXN0LXNlY3JldC1vZi1hbGwtdGhlLXNlY3JldHM=", "b2xkZXItc2VjcmV0LW9mLWFsbC10aGUtc2VjcmV0cyE=");
        let secrets = json!([{ "secret": format!("whsec_{now}") }, { "secret": format!("whsec_{before}"), "expiresAt": "2026-04-01T00:00:00.000Z" }]);
        let said = format!("{{\"auth\": \"Bearer tok-of-mine\", \"was\": \"whsec_{before}\", \"is\": \"whsec_{now}\", \"fine\": true}}");
        receiver.answer(Answer::status(400).header("x-saw", "Bearer tok-of-mine").body(said));
        let config = json!({ "url": receiver.url("/"), "secrets": secrets, "auth": { "type": "bearer", "token": "tok-of-mine" } });
        webhook(&bed, &dispatch, config).await;
        bed.publish(1).await;
        bed.wait_ended("exhausted", 1).await;
        bed.wait_quiet(&dispatch).await;
        let sql = "SELECT response_headers, response_body FROM attempts";
        let (headers, body): (String, String) =
            bed.store.logs().read(system(), move |tx| tx.query_one(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))).await.unwrap();
        assert_eq!(body, r#"{"auth": "Bearer ***", "was": "whsec_***", "is": "whsec_***", "fine": true}"#);
        assert!(headers.contains("Bearer ***") && !headers.contains("tok-of-mine"), "{headers}");
    }

    async fn one_token_serves_many_deliveries(bed: Bed) {
        let guarded = Guarded::open(&bed, json!({ "audience": "https://api.example" })).await;
        // While the token is under way everyone waits for the same one.
        guarded.tokens.answer(token("tok-1", 3600).after(Duration::from_millis(200)));
        guarded.publish(&bed, 30, "delivered", 30).await;
        assert_eq!(guarded.tokens.count(), 1, "single flight");
        assert!(guarded.receiver.requests().iter().all(|request| bearer(request) == "Bearer tok-1"));
        let asked = guarded.tokens.take().remove(0);
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/token?x=1"));
        assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
        // "me%3Atoo:hu+sh", each part encoded as in a form.
        assert_eq!(bearer(&asked), "Basic bWUlM0F0b286aHUrc2g=");
        assert_eq!(&asked.body[..], b"grant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Fapi.example");
        // Not in its last half minute.
        bed.clock.advance(Duration::from_secs(3569));
        guarded.publish(&bed, 1, "delivered", 31).await;
        assert_eq!(guarded.tokens.count(), 0);
        guarded.tokens.answer(token("tok-2", 3600));
        bed.clock.advance(Duration::from_secs(1));
        guarded.publish(&bed, 1, "delivered", 32).await;
        assert_eq!((guarded.tokens.count(), bearer(guarded.receiver.requests().last().unwrap())), (1, "Bearer tok-2"));
        let logged: Vec<String> = bed.store.logs().read(system(), |tx| tx.query("SELECT request_headers FROM attempts", &[], |row| row.get(0))).await.unwrap();
        assert!(logged.iter().all(|headers| headers.contains("\"authorization\":\"***\"") && !headers.contains("tok-")), "{logged:?}");
    }

    async fn a_refused_token_is_renewed_once(bed: Bed) {
        let guarded = Guarded::open(&bed, json!({ "clientAuthentication": "body" })).await;
        guarded.tokens.script([token("stale", 3600), token("fresh", 3600)]);
        guarded.receiver.script([Answer::status(401)]);
        guarded.publish(&bed, 1, "delivered", 1).await;
        let seen: Vec<String> = guarded.receiver.take().iter().map(|request| bearer(request).to_owned()).collect();
        assert_eq!(seen, ["Bearer stale", "Bearer fresh"]);
        assert_eq!(bed.number("SELECT attempt_count FROM deliveries").await, 1, "in one attempt");
        let asked = guarded.tokens.take().remove(0);
        assert_eq!(asked.header("authorization"), None);
        assert!(asked.body.ends_with(b"&client_id=me%3Atoo&client_secret=hu+sh"));
        // A receiver that refuses every token is tried twice, and is at fault.
        guarded.tokens.answer(token("other", 3600));
        guarded.receiver.answer(Answer::status(401));
        guarded.publish(&bed, 1, "exhausted", 1).await;
        assert_eq!((guarded.receiver.count(), guarded.tokens.count()), (2, 1));
        assert_eq!(kinds(&bed).await, ["status"]);
    }

    async fn a_token_that_cannot_be_had_is_a_visible_attempt(bed: Bed) {
        let guarded = Guarded::open(&bed, json!({})).await;
        let denied = Answer::status(401).body(json!({ "error": "invalid_client", "error_description": "hu sh" }).to_string());
        let bodies = ["nonsense", r#"{"access_token":"a\nb","token_type":"bearer"}"#, r#"{"access_token":"a","token_type":"mac"}"#];
        let scripted = [denied].into_iter().chain(bodies.map(|body| Answer::status(200).body(body))).chain([Answer::Drop]);
        for (n, answer) in (1..).zip(scripted) {
            guarded.tokens.script([answer]);
            guarded.publish(&bed, 1, "exhausted", n).await;
        }
        assert_eq!(guarded.receiver.count(), 0, "nothing is sent without a token");
        assert_eq!(kinds(&bed).await, ["auth"; 5]);
        let texts: Vec<String> = bed.store.logs().read(system(), |tx| tx.query("SELECT error FROM attempts ORDER BY id", &[], |row| row.get(0))).await.unwrap();
        assert!(texts.iter().any(|text| text == "no access token: the token endpoint answered 401 (invalid_client)"), "{texts:?}");
        assert!(texts.iter().all(|text| text.starts_with("no access token: ") && !text.contains("hu sh")), "{texts:?}");
        guarded.tokens.answer(token("tok", 60));
        guarded.publish(&bed, 1, "delivered", 1).await;
    }

    async fn token_urls_pass_the_same_guard(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let channel = bed.dispatch().await.channel("http").unwrap();
        for url in ["http://10.0.0.1/token", "http://169.254.169.254/", "ftp://a.example/", "nonsense"] {
            let auth = json!({ "type": "oauth2", "tokenUrl": url, "clientId": "a", "clientSecret": "b" });
            let error = channel.check(&json!({ "url": "http://127.0.0.1:9/", "auth": auth })).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, "/auth/tokenUrl", "{url}: {error:?}");
        }
    }

    async fn mutual_tls_with_an_authority_of_the_receivers_own(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let dispatch = bed.dispatch().await;
        let (servers, clients) = (Authority::new(), Authority::new());
        let receiver = Receiver::start_tls(server(&servers.server(&["127.0.0.1"]), Some(&clients)));
        let (ours, url) = (clients.client("tradewind"), receiver.url("/hook"));
        let auth = json!({ "type": "mtls", "certificate": ours.certificate, "privateKey": ours.key });
        webhook(&bed, &dispatch, json!({ "url": url, "auth": auth, "caCertificate": servers.certificate() })).await;
        bed.publish(3).await;
        bed.wait_ended("delivered", 3).await;
        assert_eq!(receiver.count(), 3);
        // Without the certificate, and without the authority.
        webhook(&bed, &dispatch, json!({ "url": url, "caCertificate": servers.certificate() })).await;
        bed.publish(1).await;
        bed.wait_ended("exhausted", 1).await;
        webhook(&bed, &dispatch, json!({ "url": url, "auth": auth })).await;
        bed.publish(1).await;
        bed.wait_ended("exhausted", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((kinds(&bed).await, receiver.count()), (vec!["auth".to_owned(), "tls".to_owned()], 3));
        let stored: Vec<Vec<u8>> = bed.store.read(system(), |tx| tx.query("SELECT config FROM destinations", &[], |row| row.get(0))).await.unwrap();
        assert!(stored.iter().all(|sealed| !String::from_utf8_lossy(sealed).contains("PRIVATE")));
    }

    async fn the_proxys_faults_have_a_kind_of_their_own(bed: Bed) {
        let proxy = ConnectProxy::start(Conduct::Refuse(403));
        let egress = EgressProxy::parse(&format!("http://{}", proxy.address())).unwrap();
        let client = Client::new(ClientConfig { proxy: Some(egress), ..ClientConfig::new(policy()) }).unwrap();
        let product = blueprint::load("insurance-leads").unwrap().webhooks;
        bed.extra.lock().unwrap().push(Arc::new(HttpChannel::new(client, &product).unwrap()));
        let dispatch = bed.dispatch().await;
        let (receiver, tokens) = (Receiver::start(), Receiver::start());
        webhook(&bed, &dispatch, json!({ "url": receiver.url("/") })).await;
        bed.publish(1).await;
        bed.wait_ended("exhausted", 1).await;
        // The way to the token endpoint is the same.
        let auth = json!({ "type": "oauth2", "tokenUrl": tokens.url("/"), "clientId": "a", "clientSecret": "b" });
        webhook(&bed, &dispatch, json!({ "url": receiver.url("/"), "auth": auth })).await;
        bed.publish(1).await;
        bed.wait_ended("exhausted", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((kinds(&bed).await, receiver.count(), tokens.count()), (vec!["proxy".to_owned(), "proxy".to_owned()], 0, 0));
        proxy.conduct(Conduct::Forward);
        webhook(&bed, &dispatch, json!({ "url": receiver.url("/") })).await;
        bed.publish(1).await;
        receiver.wait_for(1, LIMIT).await;
        bed.wait_ended("delivered", 1).await;
    }
}
