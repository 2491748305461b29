//! What the pages promise to whoever attacks them: headers, cookies, forms of other sites, sessions that were planted, and where tokens go.
//! Tests are named after what RFC 9700 and OWASP call the attack.

use std::collections::BTreeMap;

use serde_json::json;
use testkit::http::{Client, Response};

use super::journeys::set_up_link;
use crate::world::{World, text};

const PASSWORD: &str = "harbour lantern quiet 7";

/// A browser without a browser: keeps cookies.
struct Browser {
    http: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(world: &World) -> Self {
        Self { http: world.server.client(), cookies: BTreeMap::new() }
    }

    fn header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: &Response) {
        for line in answer.headers.get_all("set-cookie") {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
    }

    async fn get(&mut self, path: &str) -> Response {
        let answer = self.http.request("GET".parse().unwrap(), path).header("cookie", &self.header()).send().await;
        self.keep(&answer);
        answer
    }

    /// Opens the page, and sends its form from there as a browser does.
    async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let page = self.get(path).await.expect(200).text();
        let csrf = csrf(&page);
        self.post(path, &csrf, fields, &[("sec-fetch-site", "same-origin")]).await
    }

    async fn post(&mut self, path: &str, csrf: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Response {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", csrf).extend_pairs(fields);
        let mut request = self.http.request("POST".parse().unwrap(), path).body("application/x-www-form-urlencoded", body.finish());
        request = request.header("cookie", &self.header());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await;
        self.keep(&answer);
        answer
    }
}

/// The token of the forms on a page.
fn csrf(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no form in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

fn path_of(link: &str) -> String {
    let url = url::Url::parse(link).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// The operator, signed in by the set-up link.
async fn operator(world: &World) -> Browser {
    let mut browser = Browser::new(world);
    let path = path_of(&set_up_link(world));
    let fields = [("name", "Grace"), ("email", "grace@example.com"), ("password", PASSWORD)];
    browser.submit(&path, &fields).await.assert_status(303);
    browser
}

const SIGN_IN: [(&str, &str); 2] = [("email", "grace@example.com"), ("password", PASSWORD)];

testkit::engines! {
    /// RFC 9700 §4.16, and the headers of everything that a person sees.
    async fn clickjacking_every_page_refuses_to_be_framed(world: World) {
        let mut browser = operator(&world).await;
        for path in ["/portal", "/portal/sign-in/link", "/portal/security", "/admin", "/portal/consent?request=twq_live_x", "/portal/device", "/portal/nothing"] {
            let answer = browser.get(path).await;
            if path == "/portal/nothing" {
                answer.assert_problem(404, "not_found");
                continue;
            }
            let header = |name: &str| answer.header(name).unwrap_or_else(|| panic!("{path} has no {name}")).to_owned();
            let policy = header("content-security-policy");
            for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
            assert_eq!(header("x-frame-options"), "DENY");
            assert_eq!((header("x-content-type-options"), header("cache-control")), ("nosniff".into(), "no-store".into()));
            assert_eq!(answer.header("strict-transport-security"), None, "not without TLS");
        }
    }

    async fn the_set_up_page_is_over_once_anybody_has_an_account(world: World) {
        let (path, mut browser) = (path_of(&set_up_link(&world)), Browser::new(&world));
        browser.get(&path).await.assert_status(200);
        world.operator.post("/api/v1/users", &json!({"email": "ben@example.com"})).await.assert_status(201);
        let over = browser.get(&path).await.expect(404).text();
        assert!(!over.contains("name=\"password\""), "{over}");
    }

    /// RFC 9700 §4.2: what a link carries goes to no other site.
    async fn token_in_referrer_no_page_tells_other_sites_its_address(world: World) {
        let mut browser = Browser::new(&world);
        let page = browser.get(&path_of(&set_up_link(&world))).await.expect(200);
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
        let html = page.text();
        for (at, _) in html.match_indices("href=\"").chain(html.match_indices("src=\"")) {
            let address = html[at..].split('"').nth(1).unwrap();
            assert!(address.starts_with('/') || address.starts_with('#'), "{address}");
        }
    }

    async fn cookie_flags_are_strict_and_secure_under_tls(world: World) {
        let answer = operator_answer(&world).await;
        let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
        let session = cookies.iter().find(|line| line.starts_with("tradewind_session=")).unwrap();
        assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax") && session.contains("Path=/"), "{session}");
        assert!(!session.contains("Domain"), "{session}");
        let tls = World::start(testkit::Engine::sqlite(), |settings| settings.set("TRADEWIND_PUBLIC_URL", "https://portal.example"));
        let page = tls.server.client().get("/portal/sign-in").await.expect(200);
        let cookie = page.header("set-cookie").unwrap();
        assert!(cookie.starts_with("__Host-tradewind_browser=") && cookie.contains("; Secure") && cookie.contains("HttpOnly"), "{cookie}");
        assert!(page.header("strict-transport-security").is_some());
    }

    /// A token that somebody planted in the browser before is not the session afterwards.
    async fn session_fixation_a_session_is_new_after_every_sign_in(world: World) {
        let mut browser = operator(&world).await;
        let first = browser.cookies["tradewind_session"].clone();
        let mut other = Browser::new(&world);
        other.cookies.insert("tradewind_session".into(), "planted".into());
        other.submit("/portal/sign-in", &SIGN_IN).await.assert_status(303);
        let second = other.cookies["tradewind_session"].clone();
        assert!(second != "planted" && second != first);
        browser.submit("/portal/confirm?next=%2Fportal%2Fsecurity", &[("password", PASSWORD)]).await.assert_status(303);
        assert_ne!(browser.cookies["tradewind_session"], first, "more may be done with it, so its token is new");
        let mut stale = Browser::new(&world);
        stale.cookies.insert("tradewind_session".into(), first);
        assert_eq!(stale.get("/portal").await.header("location"), Some("/portal/sign-in"));
    }

    /// RFC 9700 §4.7, and login CSRF.
    async fn csrf_no_form_acts_for_another_site_or_another_browser(world: World) {
        let mut browser = operator(&world).await;
        let page = browser.get("/portal/security").await.expect(200).text();
        let token = csrf(&page);
        let sessions = [("session", "others")];
        for headers in [[("sec-fetch-site", "cross-site")], [("sec-fetch-site", "same-site")], [("origin", "https://evil.example")], [("origin", "null")]] {
            let answer = browser.post("/portal/security/sessions", &token, &sessions, &headers).await;
            answer.assert_status(403);
            assert!(answer.text().contains("another site"), "{headers:?}: {}", answer.text());
        }
        let mut stranger = Browser::new(&world);
        let foreign = csrf(&stranger.get("/portal/sign-in").await.text());
        for wrong in ["", "x", &foreign] {
            let answer = browser.post("/portal/security/sessions", wrong, &sessions, &[("sec-fetch-site", "same-origin")]).await;
            answer.assert_status(403);
        }
        // Nobody is signed in by a form that was taken from another browser.
        let mut victim = Browser::new(&world);
        victim.get("/portal/sign-in").await.assert_status(200);
        let answer = victim.post("/portal/sign-in", &foreign, &SIGN_IN, &[]).await;
        answer.assert_status(403);
        assert!(!victim.cookies.contains_key("tradewind_session"));
        let answer = browser.post("/portal/security/sessions", &token, &sessions, &[("origin", &world.server.base())]).await;
        assert_eq!(answer.header("location"), Some("/portal/security?done=sessions"));
    }

    /// RFC 9700 §4.11.
    async fn open_redirect_nobody_is_led_elsewhere_after_signing_in(world: World) {
        operator(&world).await;
        for next in ["https://evil.example", "//evil.example", "/\\evil.example", "/%5Cevil.example", "javascript:alert(1)", "/portal\r\nx: y"] {
            let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            let mut browser = Browser::new(&world);
            let answer = browser.submit(&format!("/portal/sign-in?next={query}"), &SIGN_IN).await.expect(303);
            let to = answer.header("location").unwrap();
            assert!(to == "/portal" || to == "/%5Cevil.example", "{next} led to {to}");
            let csrf = csrf(&browser.get("/portal").await.text());
            let answer = browser.post("/portal/preferences", &csrf, &[("theme", "dark"), ("next", next)], &[]).await.expect(303);
            let to = answer.header("location").unwrap();
            assert!(to == "/portal" || to == "/%5Cevil.example", "{next} led to {to}");
        }
    }

    /// What strangers typed is shown as text.
    async fn hostile_text_stays_text(world: World) {
        let mut browser = Browser::new(&world);
        let hostile = "\"><script>alert(1)</script>";
        let query: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
        for path in [format!("/portal/sign-in?email={query}&next=/{query}"), format!("/portal/sign-in/sent?email={query}"), format!("/portal/reset-password?token={query}")] {
            let html = browser.get(&path).await.text();
            assert!(!html.contains("<script>alert"), "{path}: {html}");
        }
        let answer = browser.submit("/portal/sign-in", &[("email", hostile), ("password", hostile)]).await.expect(401);
        let html = answer.text();
        assert!(!html.contains("<script>alert") && html.contains("&#60;script&#62;"), "{html}");
    }

    /// A person of a tenant, by a link of the host's: one tenant, no account pages, and one use of the link.
    async fn a_guest_of_the_host_has_one_tenant_and_no_account(world: World) {
        let acme = world.tenant("Acme").await;
        world.tenant("Globex").await;
        let made = acme.host.post("/api/v1/portal-sessions", &json!({"email": "ada@example.com", "role": "developer"})).await.expect(201).json();
        let link = path_of(&text(&made["url"]));
        let mut guest = Browser::new(&world);
        guest.get(&link).await.assert_status(303);
        let home = guest.get("/portal").await.expect(200).text();
        assert!(home.contains("Acme") && !home.contains("Globex") && !home.contains("/portal/security"), "{home}");
        guest.get("/portal/security").await.assert_status(403);
        guest.get("/admin").await.assert_status(404);
        Browser::new(&world).get(&link).await.assert_status(404);
    }
}

/// The answer that signs the operator in.
async fn operator_answer(world: &World) -> Response {
    let mut browser = Browser::new(world);
    let path = path_of(&set_up_link(world));
    browser.submit(&path, &[("name", "Grace"), ("email", "grace@example.com"), ("password", PASSWORD)]).await.expect(303)
}
