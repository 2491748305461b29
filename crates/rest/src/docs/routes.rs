//! The HTTP surface. Everything is public; a credential, if there is one, narrows what is shown.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kernel::Error;
use web::{Access, Api, Endpoint, Path, Result};

use super::pages::Page;
use super::reader::Reader;
use super::rendered::Text;
use super::words::Lang;
use super::{Docs, asyncapi};

/// What a route answers with.
#[derive(Clone, Copy)]
enum What {
    OpenApi,
    AsyncApi,
    Postman,
    Llms,
    Overview,
    Start,
    Events,
    Errors,
    SignedIn,
}

/// The page's own files.
const FILES: &[(&str, &str, &str)] = &[
    ("docs.css", "text/css; charset=utf-8", include_str!("ui/docs.css")),
    ("docs.js", "text/javascript; charset=utf-8", include_str!("ui/docs.js")),
    ("icon.svg", "image/svg+xml", include_str!("ui/icon.svg")),
];

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

impl Docs {
    /// `/docs` and all below it, `/llms.txt`, and the first page with its documents where the blueprint wants them too.
    pub fn routes(self: &Arc<Self>) -> Api {
        let place = |what: What| (Arc::clone(self), what);
        let mut api = Api::new()
            .route(public("/docs/start", "docs.start"), show, place(What::Start))
            .route(public("/docs/events", "docs.events"), show, place(What::Events))
            .route(public("/docs/errors", "docs.errors"), show, place(What::Errors))
            .route(public("/docs/signed-in", "docs.signed_in"), show, place(What::SignedIn))
            .route(public("/docs/reference/{group}", "docs.group"), group, Arc::clone(self))
            .route(public("/docs/llms.txt", "docs.llms"), show, place(What::Llms))
            .route(public("/llms.txt", "docs.llms_root"), show, place(What::Llms))
            .route(public("/docs/ui/{file}", "docs.asset"), asset, ());
        let places = std::iter::once("/docs").chain(self.blueprint.product.docs_paths.iter().map(String::as_str));
        for (n, at) in places.enumerate() {
            let suffix = if n == 0 { String::new() } else { (n + 1).to_string() };
            let endpoint = |path: &str, id: &str| public(&format!("{at}{path}"), &format!("docs.{id}{suffix}"));
            api = api
                .route(endpoint("", "page"), show, place(What::Overview))
                .route(endpoint("/", "slash"), to_page, Arc::<str>::from(at))
                .route(endpoint("/openapi.json", "openapi"), show, place(What::OpenApi))
                .route(endpoint("/postman.json", "postman"), show, place(What::Postman))
                .route(endpoint("/asyncapi.json", "asyncapi"), show, place(What::AsyncApi));
        }
        api
    }

    /// Who reads. Error: 401 for a credential that is none.
    async fn reader(&self, parts: &Parts) -> Result<Option<Reader>> {
        Ok(match &self.readers {
            Some(readers) => readers(parts).await?,
            None => None,
        })
    }

    /// The language of the pages: `?lang=`, else what the browser prefers, of those that the product has; else the product's first.
    fn language(&self, parts: &Parts) -> Lang {
        let query = parts.uri.query().unwrap_or_default();
        let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang").map(|(_, value)| value.into_owned());
        let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let product: Vec<&str> = self.blueprint.product.languages.iter().map(String::as_str).collect();
        let spoken = |lang: &Lang| product.contains(&lang.tag());
        let preferred = accepted.split(',').filter_map(|tag| Lang::choose([tag])).find(spoken);
        let asked = asked.as_deref().and_then(|tag| Lang::choose([tag]));
        asked.or(preferred).or_else(|| Lang::choose(product.iter().copied())).unwrap_or(Lang::English)
    }
}

fn public(path: &str, id: &str) -> Endpoint {
    Endpoint::get(path, id).summary("Documentation.").needs(Access::Public).hidden()
}

/// The page has one address; one with a slash too much leads to it.
async fn to_page(State(place): State<Arc<str>>) -> Redirect {
    Redirect::permanent(&place)
}

async fn show(State((docs, what)): State<(Arc<Docs>, What)>, parts: Parts) -> Result<Response> {
    let reader = docs.reader(&parts).await?;
    let lang = docs.language(&parts);
    if let What::AsyncApi = what {
        let text = Text::new(asyncapi(&docs.blueprint, &docs.config).to_string());
        return Ok(answer(&parts.headers, JSON, &text, false));
    }
    let made = docs.make(reader, move |docs, rendered| {
        let page = |page: Page<'_>| Some((HTML, rendered.page(docs, page, lang)?));
        let made = match what {
            What::OpenApi | What::AsyncApi => Some((JSON, rendered.openapi())),
            What::Postman => Some((JSON, rendered.postman_text(docs))),
            What::Llms => Some(("text/markdown; charset=utf-8", rendered.llms(docs))),
            What::Overview => page(Page::Overview),
            What::Start => page(Page::Start),
            What::Events => page(Page::Events),
            What::Errors => page(Page::Errors),
            What::SignedIn => page(Page::SignedIn),
        };
        made.map(|(media, text)| (media, text, rendered.personal))
    });
    let (media, text, personal) = made.await?.ok_or_else(|| Error::not_found("page"))?;
    Ok(answer(&parts.headers, media, &text, personal))
}

async fn group(State(docs): State<Arc<Docs>>, Path(name): Path<String>, parts: Parts) -> Result<Response> {
    let (reader, lang) = (docs.reader(&parts).await?, docs.language(&parts));
    let made = docs.make(reader, move |docs, rendered| Some((rendered.page(docs, Page::Group(&name), lang)?, rendered.personal)));
    let (text, personal) = made.await?.ok_or_else(|| Error::not_found("page"))?;
    Ok(answer(&parts.headers, HTML, &text, personal))
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response> {
    let (_, media, body) = FILES.iter().find(|(file, ..)| *file == name).ok_or_else(|| Error::not_found("file"))?;
    Ok(answer(&headers, media, &Text::new((*body).to_owned()), false))
}

/// What these pages may load: their own files, nothing from anywhere else, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

fn answer(asked: &HeaderMap, media: &'static str, text: &Text, personal: bool) -> Response {
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|value| value.split(',')).any(|tag| tag.trim().trim_start_matches("W/") == &*text.tag);
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { text.body.to_string().into_response() };
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_TYPE, media),
        (header::CACHE_CONTROL, if personal { "private, no-cache" } else { "no-cache" }),
        (header::VARY, "Authorization, Accept-Language"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::ETAG, HeaderValue::from_str(&text.tag).expect("an entity tag is hexadecimal"));
    response
}
