//! Signing in with another OpenID provider, played by the test: what it says is signed, and may be anything. (A real one is in the tests of the
//! binary.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access::jose::{Algorithm, Signer};
use access::people::{Role, UserStatus};
use access::tenants::Tenant;
use base64::Engine as _;
use kernel::{IdRef, Secret};
use people::external::{Arrived, Callback, Newcomers, ProviderConfig};
use people::users::UpdateUser;
use people::{Method, Outcome, People, SignedIn};
use serde_json::{Value, json};
use sha2::Digest as _;
use testkit::receiver::{Answer, Receiver};
use web::outbound::{Client, ClientConfig, UrlPolicy};

use crate::bed::{Bed, PASSWORD, pending, secret, session};

const BROWSER: &str = "a browser";

/// A provider.
struct Provider {
    place: Receiver,
    signer: Signer,
    /// Whether its keys will be asked for next time: at first, and when those that are known are old or do not fit.
    is_unknown: AtomicBool,
}

/// What the person's browser was sent along with.
struct Sent {
    state: String,
    nonce: String,
    challenge: String,
}

impl Provider {
    fn start(bed: &Bed) -> Self {
        let signer = Signer::generate(&bed.ambient, Algorithm::Es256).unwrap();
        Self { place: Receiver::start(), signer, is_unknown: AtomicBool::new(true) }
    }

    fn issuer(&self) -> String {
        self.place.url("")
    }

    fn config(&self, slug: &str) -> ProviderConfig {
        ProviderConfig {
            slug: slug.into(),
            name: "Corp".into(),
            issuer: self.issuer(),
            client_id: "us".into(),
            client_secret: Some(Secret::new("a secret: with + signs".into())),
            domains: Vec::new(),
            newcomers: Newcomers::Refused,
        }
    }

    fn metadata(&self) -> Answer {
        let at = |path: &str| self.place.url(path);
        json_answer(&json!({
            "issuer": self.issuer(), "authorization_endpoint": at("/authorize?tenant=1"), "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"), "userinfo_endpoint": at("/userinfo"), "authorization_response_iss_parameter_supported": true,
        }))
    }

    fn keys(&self) -> Answer {
        json_answer(&json!({"keys": [self.signer.public()]}))
    }

    /// What a code is exchanged for.
    fn tokens(&self, bed: &Bed, nonce: &str, more: &Value) -> Answer {
        let now = bed.ambient.now().millis() / 1000;
        let mut claims = json!({
            "iss": self.issuer(), "aud": "us", "sub": "42", "iat": now, "exp": now + 300, "nonce": nonce, "auth_time": now,
            "email": "ada@example.com", "email_verified": true, "name": "Ada",
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = self.signer.sign("JWT", &claims).unwrap();
        json_answer(&json!({"access_token": "at", "token_type": "Bearer", "id_token": token}))
    }

    /// Sends somebody there. The first to do so asks what the provider says of itself.
    async fn send(&self, people: &Arc<People>, bed: &Bed) -> Sent {
        let way = people.begin_external("corp", Some("/portal/apps"), BROWSER, &bed.visit()).await.unwrap();
        sent(way.reveal())
    }

    /// Lets them come back with a code, which is worth this.
    async fn come(
        &self,
        people: &Arc<People>,
        bed: &Bed,
        sent: &Sent,
        claims: Value,
        signed: Option<&SignedIn>,
    ) -> kernel::Result<Arrived> {
        self.place.script([self.tokens(bed, &sent.nonce, &claims)]);
        if self.is_unknown.swap(false, Ordering::Relaxed) {
            self.place.script([self.keys()]);
        }
        people.finish_external("corp", &self.callback(sent), BROWSER, signed, &bed.visit()).await
    }

    fn callback(&self, sent: &Sent) -> Callback {
        Callback { state: Some(sent.state.clone()), code: Some("a code".into()), iss: Some(self.issuer()), error: None }
    }

    /// What was known of its keys is of no more use.
    fn forget(&self) {
        self.is_unknown.store(true, Ordering::Relaxed);
    }

    /// There and back.
    async fn go(&self, people: &Arc<People>, bed: &Bed, claims: Value) -> kernel::Result<Outcome> {
        let sent = self.send(people, bed).await;
        Ok(self.come(people, bed, &sent, claims, None).await?.outcome.unwrap())
    }
}

fn json_answer(value: &Value) -> Answer {
    Answer::status(200).header("content-type", "application/json").body(value.to_string())
}

fn sent(way: &str) -> Sent {
    let url = url::Url::parse(way).unwrap();
    let part = |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap();
    assert_eq!((part("response_type").as_str(), part("code_challenge_method").as_str(), part("tenant").as_str()), ("code", "S256", "1"));
    assert_eq!(part("redirect_uri"), "https://api.example.com/portal/sign-in/with/corp/callback");
    Sent { state: part("state"), nonce: part("nonce"), challenge: part("code_challenge") }
}

fn client() -> Client {
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    Client::new(ClientConfig::new(policy)).unwrap()
}

/// A server with this provider, and what it says of itself ready to be asked for.
async fn server(bed: &Bed, provider: &Provider, change: impl FnOnce(&mut ProviderConfig)) -> Arc<People> {
    let mut config = provider.config("corp");
    change(&mut config);
    provider.place.script([provider.metadata()]);
    bed.configured(|whole| (whole.providers, whole.outbound) = (vec![config], Some(client()))).await
}

fn joining(tenant: &Tenant, role: Role) -> Newcomers {
    Newcomers::Join(IdRef::Id(tenant.id), role)
}

async fn in_session(people: &Arc<People>, outcome: Outcome) -> Arc<SignedIn> {
    people.lookup(session(outcome).token.reveal()).await.unwrap().unwrap()
}

fn code<T: std::fmt::Debug>(result: kernel::Result<T>) -> &'static str {
    result.unwrap_err().code()
}

testkit::engines! {
    async fn newcomers_join_where_they_may_and_come_again(bed: Bed) {
        let (tenant, provider) = (bed.tenant("Acme").await, Provider::start(&bed));
        let people = server(&bed, &provider, |config| config.newcomers = joining(&tenant, Role::Viewer)).await;
        let sent = provider.send(&people, &bed).await;
        let arrived = provider.come(&people, &bed, &sent, json!({}), None).await.unwrap();
        assert_eq!(arrived.next.as_deref(), Some("/portal/apps"));
        let first = in_session(&people, arrived.outcome.unwrap()).await;
        assert_eq!((first.email.as_str(), first.name.as_str(), first.role_in(tenant.id)), ("ada@example.com", "Ada", Some(Role::Viewer)));
        assert_eq!((first.methods.as_slice(), first.issuers.clone()), (&[Method::External][..], vec![provider.issuer()]));
        assert!(people.get_user(&bed.operator(), first.user).await.unwrap().email_verified);

        // How the code was asked for, and by whom: the verifier is what the challenge was made of (RFC 7636 §4.6).
        let all = provider.place.requests();
        let token = all.iter().find(|one| one.path == "/token").unwrap();
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&token.body).into_owned().collect();
        let part = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap();
        let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(part("code_verifier")));
        assert_eq!((part("grant_type"), part("code"), challenge), ("authorization_code", "a code", sent.challenge));
        let basic = base64::engine::general_purpose::STANDARD.encode("us:a+secret%3A+with+%2B+signs");
        assert_eq!(token.header("authorization"), Some(format!("Basic {basic}").as_str()));

        // The keys are known now: no second request for them is scripted.
        let sent = provider.send(&people, &bed).await;
        provider.place.script([provider.tokens(&bed, &sent.nonce, &json!({"email": "ada@new.example", "email_verified": false}))]);
        let again = people.finish_external("corp", &provider.callback(&sent), BROWSER, None, &bed.visit()).await.unwrap();
        assert_eq!(in_session(&people, again.outcome.unwrap()).await.user, first.user, "the subject tells, not the address");
        let caller = first.caller(None, bed.visit().info()).unwrap();
        let known = people.list_identities(&caller).await.unwrap();
        assert_eq!((known[0].provider.as_deref(), known[0].email.as_deref()), (Some("corp"), Some("ada@new.example")));
        assert_eq!(bed.count("users").await, 1);
    }

    async fn an_address_ties_an_account_once_and_only_if_both_sides_made_sure(bed: Bed) {
        let provider = Provider::start(&bed);
        let people = server(&bed, &provider, |_| ()).await;
        assert_eq!(code(provider.go(&people, &bed, json!({})).await), "external_unknown");
        // Somebody who chose a password for an address without ever reading what is sent there.
        let ada = bed.person("ada@example.com", None).await;
        assert_eq!(code(provider.go(&people, &bed, json!({})).await), "external_not_linked");
        bed.store.write(kernel::Scope::system("test"), |tx| tx.exec("UPDATE users SET email_verified_at = 1", &[]).map(drop)).await.unwrap();
        assert_eq!(code(provider.go(&people, &bed, json!({"email_verified": false})).await), "external_email_not_allowed");
        assert_eq!(code(provider.go(&people, &bed, json!({"email": Value::Null, "sub": "42"})).await), "provider_unavailable", "userinfo is not scripted");
        let signed_in = in_session(&people, provider.go(&people, &bed, json!({})).await.unwrap()).await;
        assert_eq!(signed_in.user, ada.id);
        // Another subject with that address: somebody new got it. And the tied one, whose address is now somebody else's.
        assert_eq!(code(provider.go(&people, &bed, json!({"sub": "43"})).await), "external_not_linked");
        bed.person("ben@example.com", None).await;
        let moved = provider.go(&people, &bed, json!({"email": "ben@example.com"})).await.unwrap();
        assert_eq!(in_session(&people, moved).await.user, ada.id, "a changed address takes nobody's account over");
        bed.people.update_user(&bed.operator(), ada.id, UpdateUser { status: Some(UserStatus::Suspended), ..UpdateUser::default() }).await.unwrap();
        assert_eq!(code(provider.go(&people, &bed, json!({})).await), "user_suspended");
    }

    async fn only_these_domains_may_sign_in(bed: Bed) {
        let (tenant, provider) = (bed.tenant("Acme").await, Provider::start(&bed));
        let people = server(&bed, &provider, |config| {
            (config.domains, config.newcomers) = (vec!["example.com".into()], joining(&tenant, Role::Developer));
        }).await;
        for email in ["ada@evil.example", "ada@sub.example.com", "ada@example.com.evil.example", "example.com"] {
            assert_eq!(code(provider.go(&people, &bed, json!({"email": email})).await), "external_email_not_allowed", "{email}");
        }
        in_session(&people, provider.go(&people, &bed, json!({"email": "Ada@Example.com"})).await.unwrap()).await;
        assert_eq!(code(provider.go(&people, &bed, json!({"email": "ada@evil.example"})).await), "external_email_not_allowed", "also who is tied");
    }

    async fn an_answer_is_good_once_here_and_now_and_of_this_provider(bed: Bed) {
        let (tenant, provider) = (bed.tenant("Acme").await, Provider::start(&bed));
        let people = server(&bed, &provider, |config| config.newcomers = joining(&tenant, Role::Viewer)).await;
        let finish = async |back: Callback, browser: &str| people.finish_external("corp", &back, browser, None, &bed.visit()).await;
        let good = provider.send(&people, &bed).await;
        provider.come(&people, &bed, &good, json!({}), None).await.unwrap();
        assert_eq!(code(finish(provider.callback(&good), BROWSER).await), "external_failed", "twice");
        let change: [fn(&mut Callback); 7] = [
            |back| back.state = None,
            |back| back.state = Some("A".repeat(43)),
            |back| back.code = None,
            |back| back.error = Some("access_denied".into()),
            // Mix-up (RFC 9700 §4.4): the answer is another's, or does not say whose, though this one always does.
            |back| back.iss = Some("https://evil.example".into()),
            |back| back.iss = None,
            |back| back.code = Some("x".repeat(5000)),
        ];
        for change in change {
            let mut back = provider.callback(&provider.send(&people, &bed).await);
            change(&mut back);
            assert_eq!(code(finish(back, BROWSER).await), "external_failed");
        }
        let sent = provider.send(&people, &bed).await;
        assert_eq!(code(finish(provider.callback(&sent), "another browser").await), "external_failed");
        let sent = provider.send(&people, &bed).await;
        bed.advance(Duration::from_secs(300));
        assert_eq!(code(finish(provider.callback(&sent), BROWSER).await), "external_failed", "late");
        assert_eq!(code(people.finish_external("other", &provider.callback(&sent), BROWSER, None, &bed.visit()).await), "not_found");
        assert_eq!(code(people.begin_external("other", None, BROWSER, &bed.visit()).await), "not_found");
    }

    async fn a_word_that_does_not_hold_signs_nobody_in(bed: Bed) {
        let (tenant, provider) = (bed.tenant("Acme").await, Provider::start(&bed));
        let people = server(&bed, &provider, |config| config.newcomers = joining(&tenant, Role::Viewer)).await;
        in_session(&people, provider.go(&people, &bed, json!({"sub": "1", "email": "first@example.com"})).await.unwrap()).await;
        for wrong in [
            json!({"nonce": "another"}), json!({"iss": "https://evil.example"}), json!({"aud": "them"}), json!({"exp": 1}), json!({"sub": ""}),
        ] {
            let sent = provider.send(&people, &bed).await;
            provider.place.script([provider.tokens(&bed, &sent.nonce, &wrong)]);
            let refused = people.finish_external("corp", &provider.callback(&sent), BROWSER, None, &bed.visit()).await;
            assert_eq!(code(refused), "external_failed", "{wrong}");
        }
        // Signed by somebody else: the keys are asked for anew, once in a while, and do not fit either.
        let forger = Provider::start(&bed);
        bed.advance(Duration::from_secs(31));
        let sent = provider.send(&people, &bed).await;
        let forged = forger.tokens(&bed, &sent.nonce, &json!({"iss": provider.issuer()}));
        provider.place.script([forged, provider.keys()]);
        assert_eq!(code(people.finish_external("corp", &provider.callback(&sent), BROWSER, None, &bed.visit()).await), "external_failed");
        let sent = provider.send(&people, &bed).await;
        provider.place.script([Answer::status(400).body(r#"{"error": "invalid_grant"}"#)]);
        assert_eq!(code(people.finish_external("corp", &provider.callback(&sent), BROWSER, None, &bed.visit()).await), "external_failed");
        let sent = provider.send(&people, &bed).await;
        provider.place.script([Answer::status(500)]);
        assert_eq!(code(people.finish_external("corp", &provider.callback(&sent), BROWSER, None, &bed.visit()).await), "provider_unavailable");
        assert_eq!(bed.count("users").await, 1);
    }

    async fn keys_may_change(bed: Bed) {
        let (tenant, mut provider) = (bed.tenant("Acme").await, Provider::start(&bed));
        let people = server(&bed, &provider, |config| config.newcomers = joining(&tenant, Role::Viewer)).await;
        in_session(&people, provider.go(&people, &bed, json!({})).await.unwrap()).await;
        provider.signer = Signer::generate(&bed.ambient, Algorithm::EdDsa).unwrap();
        provider.forget();
        bed.advance(Duration::from_secs(31));
        in_session(&people, provider.go(&people, &bed, json!({})).await.unwrap()).await;
        assert_eq!(provider.place.requests().iter().filter(|one| one.path == "/jwks").count(), 2);
    }

    async fn one_who_calls_itself_otherwise_is_not_believed(bed: Bed) {
        let provider = Provider::start(&bed);
        let other = Provider::start(&bed);
        let mut config = provider.config("corp");
        config.issuer = provider.issuer();
        provider.place.script([other.metadata()]);
        let people = bed.configured(|whole| (whole.providers, whole.outbound) = (vec![config], Some(client()))).await;
        assert_eq!(code(people.begin_external("corp", None, BROWSER, &bed.visit()).await), "provider_unavailable");
    }

    async fn step_up_stays_as_it_is(bed: Bed) {
        let provider = Provider::start(&bed);
        let people = server(&bed, &provider, |_| ()).await;
        bed.person("ada@example.com", None).await;
        bed.store.write(kernel::Scope::system("test"), |tx| tx.exec("UPDATE users SET email_verified_at = 1", &[]).map(drop)).await.unwrap();
        let now = || bed.ambient.now().millis() / 1000;
        // Signed in there since yesterday: signed in here, and no fresh proof. Nor where the provider does not say.
        for at in [json!(now() - 86_400), Value::Null] {
            let outcome = provider.go(&people, &bed, json!({"auth_time": at})).await.unwrap();
            let caller = in_session(&people, outcome).await.caller(None, bed.visit().info()).unwrap();
            assert_eq!(code(people.passkey_options(&caller).await), "reauthentication_required");
        }
        let fresh = provider.go(&people, &bed, json!({})).await.unwrap();
        let begun = session(fresh);
        let signed_in = people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        let caller = signed_in.caller(None, bed.visit().info()).unwrap();
        people.passkey_options(&caller).await.unwrap();
        bed.advance(Duration::from_secs(601));
        // A fresh proof: the provider is told to ask, and only what it says that it did counts.
        provider.place.script([provider.metadata()]);
        provider.forget();
        let way = people.begin_external_proof(&caller, "corp", None, BROWSER).await.unwrap();
        assert!(way.reveal().contains("prompt=login&max_age=0"), "{}", way.reveal());
        let lazy = provider.come(&people, &bed, &sent(way.reveal()), json!({"auth_time": now() - 9000}), Some(&signed_in)).await;
        assert_eq!(code(lazy), "external_failed");
        let prove = async |claims: Value, who: Option<&SignedIn>| {
            let way = people.begin_external_proof(&caller, "corp", None, BROWSER).await.unwrap();
            let sent = sent(way.reveal());
            provider.place.script([provider.tokens(&bed, &sent.nonce, &claims)]);
            people.finish_external("corp", &provider.callback(&sent), BROWSER, who, &bed.visit()).await
        };
        assert_eq!(code(prove(json!({"sub": "43"}), Some(&signed_in)).await), "external_failed", "somebody else proved something");
        assert_eq!(code(prove(json!({}), None).await), "external_failed");
        let renewed = session(prove(json!({}), Some(&signed_in)).await.unwrap().outcome.unwrap());
        assert!(renewed.session == begun.session && people.lookup(begun.token.reveal()).await.unwrap().is_none());
        // Who has an authenticator shows its code too.
        bed.authenticator("ada@example.com").await;
        let owed = provider.go(&people, &bed, json!({})).await.unwrap();
        pending(owed);
    }

    async fn somebody_ties_and_cuts_an_account_themselves(bed: Bed) {
        let provider = Provider::start(&bed);
        let people = server(&bed, &provider, |_| ()).await;
        for email in ["ada@example.com", "eve@example.com"] {
            bed.person(email, None).await;
        }
        let tie = async |email: &str, subject: &str| {
            let begun = session(people.sign_in_with_password(email, secret(PASSWORD), &bed.visit()).await.unwrap());
            let signed_in = people.lookup(begun.token.reveal()).await.unwrap().unwrap();
            let caller = signed_in.caller(None, bed.visit().info()).unwrap();
            let way = people.begin_link(&caller, "corp", None, BROWSER).await.unwrap();
            let tied = provider.come(&people, &bed, &sent(way.reveal()), json!({"sub": subject, "email": "else@where.example"}), Some(&signed_in)).await;
            (tied.map(|arrived| arrived.outcome.is_none()), caller)
        };
        let (tied, ada) = tie("ada@example.com", "42").await;
        assert!(tied.unwrap());
        bed.advance(Duration::from_secs(601));
        provider.place.script([provider.metadata()]);
        provider.forget();
        let (taken, eve) = tie("eve@example.com", "42").await;
        assert_eq!(code(taken), "identity_taken");
        let mut eve_way = people.begin_link(&eve, "corp", None, BROWSER).await.unwrap();
        // Eve's answer in Ada's browser ties nothing.
        let adas = bed.signed_in("ada@example.com").await.1;
        let sent_eve = sent(eve_way.reveal());
        assert_eq!(code(provider.come(&people, &bed, &sent_eve, json!({"sub": "99"}), Some(&adas)).await), "external_failed");
        eve_way = people.begin_link(&eve, "corp", None, BROWSER).await.unwrap();
        assert_eq!(code(provider.come(&people, &bed, &sent(eve_way.reveal()), json!({"sub": "99"}), None).await), "external_failed");
        assert_eq!(code(people.remove_identity(&eve, "corp").await), "not_found");
        assert_eq!(code(people.remove_identity(&ada, "corp").await), "reauthentication_required");
        let ada = bed.caller("ada@example.com", None).await;
        people.remove_identity(&ada, "corp").await.unwrap();
        assert!(people.list_identities(&ada).await.unwrap().is_empty());
        let acts = bed.audit_actions().await;
        assert!(acts.iter().any(|act| act == "identity.create") && acts.iter().any(|act| act == "identity.delete"));
    }
}
