//! The refresh race, against a real authorization server: npm's oidc-provider, whose refresh tokens rotate and whose access tokens live for five
//! seconds. A refresh token that is shown twice ends its grant, so one mistake anywhere is a dead grant here. `cargo xtask prove refresh-race`
//! does it at full size.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use kernel::time::ManualClock;
use kernel::{Ambient, OauthTokenId, Timestamp};
use serde_json::{Value, json};
use testkit::Engine;
use vault::Vault;

use crate::bed::{Bed, id_of};

const SECRET: &str = "the secret of the race";
const GRANTS: usize = 50;
const WORKERS: usize = 8;

/// Renewals in all: the numbers of the promise with `cargo xtask prove refresh-race`.
#[allow(clippy::disallowed_methods, reason = "a proof is told its size by the environment")]
fn refreshes() -> u64 {
    if std::env::var_os("TRADEWIND_FULL").is_some() { 1000 } else { 100 }
}

/// A running oidc-provider; it ends with this value.
pub(crate) struct Provider {
    process: Child,
    pub(crate) port: u16,
    pub(crate) refresh_tokens: Vec<String>,
}

impl Provider {
    pub(crate) fn start(grants: usize) -> Option<Self> {
        if !testkit::tools::present("node", "the refresh race") {
            return None;
        }
        let dir = testkit::tools::npm("oidc-provider", &["oidc-provider@^9.13"]);
        let port = testkit::port::free();
        let program = dir.join(format!("{}.mjs", testkit::unique("race")));
        std::fs::write(&program, include_str!("oidc_provider.mjs")).unwrap();
        let mut command = Command::new("node");
        command.current_dir(&dir).arg(&program).args([&port.to_string(), &grants.to_string(), SECRET]);
        command.env("NODE_ENV", "production").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let _ = std::fs::remove_file(program);
        let refresh_tokens: Vec<String> = serde_json::from_str(&line).unwrap();
        assert_eq!(refresh_tokens.len(), grants);
        Some(Self { process, port, refresh_tokens })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a host says that hands one of its tokens in.
    fn token(&self, n: usize) -> Value {
        let at = self.url();
        json!({
            "provider": "custom", "userId": format!("person-{n}"), "accessToken": "none-yet", "refreshToken": self.refresh_tokens[n], "expiresIn": 0,
            "clientId": "race", "clientSecret": SECRET,
            "definition": {"authorizeUrl": format!("{at}/auth"), "tokenUrl": format!("{at}/token"), "revokeUrl": format!("{at}/token/revocation"),
                "apiBaseUrl": at, "clientAuthentication": "basic"},
        })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Racing(Bed);

impl testkit::Bed for Racing {
    async fn open(engine: Engine) -> Self {
        // Tokens end by the machine's clock here.
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        Self(Bed::with(engine, clock, Ambient::system()).await)
    }
}

/// Asks for newer tokens as a carrier does after a 401, until there were enough: eight in a row for the same grant, from both servers.
async fn race(bed: &Bed, vault: Arc<Vault>, course: Arc<Course>) {
    let scope = bed.scope();
    while course.done.load(Ordering::SeqCst) < refreshes() {
        let n = course.turn.fetch_add(1, Ordering::SeqCst) / WORKERS % GRANTS;
        let (id, seen) = &course.grants[n];
        let held = vault.held(&scope, *id).await.unwrap();
        let newer = vault.renew(&scope, *id, held.generation).await.unwrap();
        assert!(newer.generation > held.generation, "what is answered is newer");
        let before = seen.fetch_max(newer.generation, Ordering::SeqCst);
        course.done.fetch_add(newer.generation.saturating_sub(before), Ordering::SeqCst);
    }
}

/// What the workers share.
struct Course {
    /// Each token, and the newest generation of it that anybody was given.
    grants: Vec<(OauthTokenId, AtomicU64)>,
    turn: AtomicUsize,
    /// Renewals, each counted once.
    done: AtomicU64,
}

testkit::engines! {
    /// 100 (1,000 in full) renewals of 50 grants by 8 workers on two servers: none dies.
    async fn prove_refresh_race(racing: Racing) {
        let bed = racing.0;
        let Some(provider) = Provider::start(GRANTS) else { return };
        let second = bed.second_node().await;
        let mut grants = Vec::new();
        for n in 0..GRANTS {
            let id = id_of(&bed.api("POST", "/oauth-tokens", Some(provider.token(n))).await.expect(201).json());
            grants.push((id, AtomicU64::new(1)));
        }
        let course = Arc::new(Course { grants, turn: AtomicUsize::new(0), done: AtomicU64::new(0) });
        let vaults = [Arc::clone(&bed.vault), Arc::clone(&second.vault)];
        let workers = (0..WORKERS).map(|n| race(&bed, Arc::clone(&vaults[n % 2]), Arc::clone(&course)));
        futures_util::future::join_all(workers).await;
        let mut renewals = 0;
        for (n, (id, _)) in course.grants.iter().enumerate() {
            let token = bed.token(&id.to_string()).await;
            assert_eq!(token["status"], "active", "{token}");
            // The vendor's word for it: the grant is alive, and the stored token is its present one.
            let held = vaults[n % 2].held(&bed.scope(), *id).await.unwrap();
            let held = vaults[(n + 1) % 2].renew(&bed.scope(), *id, held.generation).await.unwrap();
            assert_eq!(crate::connecting::called(&held, "/me").await, 200);
            renewals += held.generation - 1;
        }
        assert!(renewals >= refreshes(), "{renewals}");
        assert!(!bed.told_types().await.iter().any(|name| name != "connected"), "nobody was alarmed");
    }

    /// What would have happened with two writers: the server under test is one that ends grants.
    async fn the_judge_is_strict(racing: Racing) {
        let bed = racing.0;
        let Some(provider) = Provider::start(1) else { return };
        let first = bed.api("POST", "/oauth-tokens", Some(provider.token(0))).await.expect(201).json();
        // The same refresh token in another row: two writers that do not know of each other.
        let mut same = provider.token(0);
        same["userId"] = json!("another");
        let second = bed.api("POST", "/oauth-tokens", Some(same)).await.expect(201).json();
        bed.vault.held(&bed.scope(), id_of(&first)).await.unwrap();
        assert_eq!(bed.vault.held(&bed.scope(), id_of(&second)).await.unwrap_err().code(), "oauth_token_reauth_required");
        let error = bed.vault.renew(&bed.scope(), id_of(&first), 2).await.unwrap_err();
        assert_eq!(error.code(), "oauth_token_reauth_required", "the reuse ended the whole grant");
        assert_eq!(bed.token(&id_of(&first).to_string()).await["reason"], "invalid_grant: grant request is invalid (400)");
        let told = bed.told().await;
        let (name, data) = told.last().unwrap();
        assert_eq!((name.as_str(), &data["status"]), ("oauth_token.reauth_required", &json!("reauth_required")));
        assert!(data["reconnectUrl"].as_str().unwrap().starts_with("http://localhost:8080/oauth/reconnect/"));
    }
}
