//! A person at the portal's pages.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::json;
use testkit::http::{Client, Response};
use url::Url;

use crate::world::{Tenant, World, text};

/// Keeps cookies, follows redirects as long as they stay here, and fills in forms.
pub(super) struct Person {
    http: Client,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// Where following ended.
pub(super) enum Place {
    /// A page of the server.
    Here(String, Response),
    /// An address that is not the server's: what an application would be called with.
    Elsewhere(String),
}

impl Person {
    /// Nobody yet.
    pub(super) fn new(world: &World) -> Self {
        Self { http: world.server.client(), base: world.server.base(), cookies: Mutex::default() }
    }

    /// Signed in by a link that the host made.
    pub(super) async fn signed_in(world: &World, tenant: &Tenant, email: &str, role: &str) -> Self {
        let person = Self::new(world);
        let made = tenant.host.post("/api/v1/portal-sessions", &json!({"email": email, "role": role})).await.expect(201).json();
        let Place::Here(at, page) = person.go(&text(&made["url"])).await else { panic!("sent away at sign-in") };
        assert_eq!(page.status, 200, "{at}: {}", page.text());
        person
    }

    /// The cookies as they are sent.
    pub(super) fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    /// One request, without following.
    pub(super) async fn send(&self, method: &str, path: &str, form: Option<&str>, headers: &[(&str, &str)]) -> Response {
        let mut request = self.http.request(method.parse().unwrap(), path);
        let cookies: Vec<String> = self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", &cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(form) = form {
            request = request.body("application/x-www-form-urlencoded", form.to_owned());
        }
        let answer = request.send().await;
        for line in answer.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if value.is_empty() {
                cookies.remove(name)
            } else {
                cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        answer
    }

    /// Follows redirects from `address`, absolute or a path.
    pub(super) async fn go(&self, address: &str) -> Place {
        let answer = self.send("GET", self.path_of(address), None, &[]).await;
        self.follow(self.path_of(address).to_owned(), answer).await
    }

    fn path_of<'a>(&self, address: &'a str) -> &'a str {
        address.strip_prefix(self.base.as_str()).unwrap_or(address)
    }

    async fn follow(&self, mut at: String, mut answer: Response) -> Place {
        for _ in 0..12 {
            let Some(location) = answer.header("location").filter(|_| answer.status.is_redirection()).map(str::to_owned) else {
                return Place::Here(at, answer);
            };
            let path = self.path_of(&location);
            if !path.starts_with('/') {
                return Place::Elsewhere(location);
            }
            at = path.to_owned();
            answer = self.send("GET", &at, None, &[]).await;
        }
        panic!("too many redirects, last to {at}");
    }

    /// The page that asks, for an address of `/oauth/authorize`; first where its form goes.
    pub(super) async fn asked(&self, authorize: &str) -> (String, Response) {
        match self.go(authorize).await {
            Place::Here(_, page) => (action(&page), page),
            Place::Elsewhere(location) => panic!("sent to {location} without being asked"),
        }
    }

    /// Says yes; the address that the application is called with.
    pub(super) async fn allow(&self, authorize: &str) -> String {
        match self.go(authorize).await {
            Place::Elsewhere(location) => location,
            Place::Here(_, page) => self.answer(&action(&page), &page, "allow").await,
        }
    }

    /// Presses a button of the page that asks.
    pub(super) async fn answer(&self, at: &str, page: &Response, decision: &str) -> String {
        let form = format!("csrf={}&decision={decision}", encoded(&csrf(page)));
        match self.post(at, &form).await {
            Place::Elsewhere(location) => location,
            Place::Here(at, page) => panic!("not sent on from {at}: {} {}", page.status, page.text()),
        }
    }

    /// Sends a form as a page of the server's does.
    pub(super) async fn post(&self, at: &str, form: &str) -> Place {
        let answer = self.send("POST", at, Some(form), &[("origin", &self.base)]).await;
        self.follow(at.to_owned(), answer).await
    }
}

/// The token of a page's form.
pub(super) fn csrf(page: &Response) -> String {
    let text = page.text();
    let at = text.find("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no form in {} {text}", page.status)) + 19;
    text[at..].split('"').next().unwrap_or_default().to_owned()
}

/// Where the form goes that decides.
fn action(page: &Response) -> String {
    let text = page.text();
    let decides = text
        .split("<form ")
        .find(|form| form.contains("value=\"allow\""))
        .unwrap_or_else(|| panic!("nobody asks in {} {text}", page.status));
    let at = decides.find("action=\"").unwrap() + 8;
    decides[at..].split('"').next().unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&")
}

/// A parameter of an address.
pub(super) fn parameter(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// As it stands in a form.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
