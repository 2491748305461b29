//! Signing in with another OpenID provider: npm's oidc-provider, unmodified.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use testkit::http::{Client, Response};
use testkit::{Engine, tools};
use tokio::task::spawn_blocking;
use url::Url;

use crate::world::{World, text};

const PACKAGE: &str = "oidc-provider@^9.13";
const WHAT: &str = "signing in with another OpenID provider";

/// The provider as a process; it ends with this value.
struct Provider {
    process: Child,
    issuer: String,
    http: Client,
    /// Held open: who cannot be heard ends.
    _says: BufReader<ChildStdout>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Provider {
    fn start(port: u16, public_url: &str) -> Self {
        let dir = tools::npm("oidc-provider-npm", &[PACKAGE]);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/portal/oidc_provider.mjs");
        let redirect = format!("{public_url}/portal/sign-in/with/oidc/callback");
        let mut command = Command::new("node");
        command.arg(script).arg(dir).arg(port.to_string()).arg(redirect);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // It says what it thinks of its settings, and then that it listens.
        let (mut says, mut line) = (BufReader::new(process.stdout.take().unwrap()), String::new());
        while line.trim() != "ready" {
            line.clear();
            assert!(says.read_line(&mut line).unwrap() > 0, "oidc-provider did not start");
        }
        let issuer = format!("http://127.0.0.1:{port}");
        Self { process, http: Client::new(&issuer), issuer, _says: says }
    }

    /// Who is at its keyboard from now on.
    async fn play(&self, who: &Value) {
        self.http.post("/play", who).await.assert_status(204);
    }
}

/// A browser that knows two hosts, without scripts.
struct Browser<'a> {
    server: Client,
    base: String,
    provider: &'a Provider,
    cookies: [BTreeMap<String, String>; 2],
}

impl<'a> Browser<'a> {
    fn new(world: &World, provider: &'a Provider) -> Self {
        Self { server: world.server.client(), base: world.server.base(), provider, cookies: Default::default() }
    }

    /// Follows redirects between the two, to a page.
    async fn go(&mut self, path: &str) -> (String, Response) {
        let mut at = Url::parse(&self.base).unwrap().join(path).unwrap();
        for _ in 0..20 {
            let is_provider = at.as_str().starts_with(&self.provider.issuer);
            let client = if is_provider { &self.provider.http } else { &self.server };
            let cookies = &mut self.cookies[usize::from(is_provider)];
            let path = at[url::Position::BeforePath..].to_owned();
            let sent: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = client.request("GET".parse().unwrap(), &path).header("cookie", &sent.join("; ")).send().await;
            for line in answer.headers.get_all("set-cookie") {
                let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            match answer.header("location") {
                Some(next) if answer.status.is_redirection() => at = at.join(next).unwrap(),
                _ => return (path, answer),
            }
        }
        panic!("led on and on, at last to {at}");
    }

    /// Presses the provider's button.
    async fn sign_in(&mut self) -> (String, Response) {
        let (_, page) = self.go("/portal/sign-in?next=%2Fportal%2Fsecurity").await;
        let html = page.text();
        let at = html.find("href=\"/portal/sign-in/with/oidc").expect("the page has the provider's button");
        let path = html[at + 6..].split('"').next().unwrap().replace("&amp;", "&");
        assert!(html.contains("Corp"), "{html}");
        self.go(&path).await
    }

    /// What the API says of whoever is signed in.
    async fn me(&self) -> Value {
        let cookies: Vec<String> = self.cookies[0].iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.server.with("cookie", &cookies.join("; ")).get("/api/v1/me").await.expect(200).json()
    }
}

fn started(engine: Engine) -> (World, Provider) {
    let port = testkit::port::free();
    let world = World::start(engine, |settings| {
        let settings = settings.set("TRADEWIND_OIDC_ISSUER", &format!("http://127.0.0.1:{port}"));
        let settings = settings.set("TRADEWIND_OIDC_CLIENT_ID", "tradewind").set("TRADEWIND_OIDC_NAME", "Corp");
        let settings = settings.set("TRADEWIND_OIDC_CLIENT_SECRET", "a secret of 32 characters or more!");
        settings.set("TRADEWIND_OIDC_DOMAINS", "example.com").set("TRADEWIND_OIDC_NEWCOMERS", "ext:acme:developer")
    });
    let provider = Provider::start(port, &world.server.base());
    (world, provider)
}

testkit::engines! {
    async fn people_come_by_another_provider(engine: Engine) {
        if !["node", "npm"].iter().all(|program| tools::present(program, WHAT)) {
            return;
        }
        let (world, provider) = spawn_blocking(move || started(engine)).await.unwrap();
        let acme = json!({"name": "Acme", "externalId": "acme"});
        let acme = text(&world.operator.post("/api/v1/tenants", &acme).await.expect(201).json()["id"]);
        let ada = |email: &str, verified: bool| json!({"sub": "ada", "email": email, "email_verified": verified, "name": "Ada"});

        provider.play(&ada("ada@example.com", true)).await;
        let mut browser = Browser::new(&world, &provider);
        let (path, page) = browser.sign_in().await;
        assert_eq!((path.as_str(), page.status.as_u16()), ("/portal/security", 200), "{}", page.text());
        let me = browser.me().await;
        assert_eq!((&me["user"]["email"], &me["user"]["emailVerified"]), (&json!("ada@example.com"), &json!(true)));
        assert_eq!((&me["memberships"][0]["tenantId"], &me["memberships"][0]["role"]), (&json!(acme), &json!("developer")));

        // The subject tells: another address there is no other account here, and takes none over.
        world.operator.post("/api/v1/users", &json!({"email": "ben@example.com"})).await.assert_status(201);
        provider.play(&ada("ben@example.com", true)).await;
        let mut again = Browser::new(&world, &provider);
        again.sign_in().await;
        assert_eq!(again.me().await["user"]["id"], me["user"]["id"]);

        for (who, why) in [
            (ada("ada@evil.example", true), "no verified e-mail address"),
            (ada("ada@example.com", false), "no verified e-mail address"),
            (json!({"sub": "eve", "email": "ada@example.com", "email_verified": true}), "not connected"),
            (json!({"deny": true}), "did not work"),
        ] {
            provider.play(&who).await;
            let mut browser = Browser::new(&world, &provider);
            let (path, page) = browser.sign_in().await;
            let html = page.text();
            assert!(path.starts_with("/portal/sign-in/with/oidc/callback") && html.contains(why), "{who}: {path} {html}");
            assert!(!browser.cookies[0].contains_key("tradewind_session"), "{who}");
        }
        // An answer in a browser that did not ask, and a way that another site begins.
        let (_, stolen) = Browser::new(&world, &provider).go("/portal/sign-in/with/oidc/callback?code=x&state=y").await;
        assert_eq!(stolen.status, 401);
        let mut browser = Browser::new(&world, &provider);
        browser.go("/portal/sign-in").await;
        let cookie = browser.cookies[0].iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let ask = |site: &str| world.server.client().with("cookie", &cookie).with("sec-fetch-site", site);
        let to = |answer: &Response| answer.header("location").unwrap_or_default().to_owned();
        assert!(to(&ask("same-origin").get("/portal/sign-in/with/oidc").await).starts_with(&provider.issuer));
        assert_eq!(to(&ask("cross-site").get("/portal/sign-in/with/oidc").await), "/portal/sign-in");
        assert_eq!(ask("same-origin").get("/portal/sign-in/with/nobody").await.status, 404);
    }
}
