//! One OpenAPI document with what is made of it, for everybody or for those with the same rights.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use web::Endpoint;

use super::pages::{Page, Pages};
use super::reference::Reference;
use super::words::Lang;
use super::{Docs, llms, postman};

/// See the module.
pub(super) struct Rendered {
    document: Value,
    reference: Reference,
    /// Record routes of single types that this reader may call.
    typed: Vec<Arc<Endpoint>>,
    /// Whether it is somebody's: no cache may give it to others.
    pub(super) personal: bool,
    openapi: OnceLock<Text>,
    postman: OnceLock<Text>,
    llms: OnceLock<Text>,
}

/// A text that is sent as it is, and the name of this version of it.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) body: Arc<str>,
    /// A strong entity tag, quotes included.
    pub(super) tag: Arc<str>,
}

impl Text {
    pub(super) fn new(body: String) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self { tag: format!("\"{:016x}\"", hasher.finish()).into(), body: body.into() }
    }
}

impl Rendered {
    pub(super) fn new(document: Value, typed: Vec<Arc<Endpoint>>, personal: bool) -> Self {
        let reference = Reference::of(&document);
        Self { document, reference, typed, personal, openapi: OnceLock::new(), postman: OnceLock::new(), llms: OnceLock::new() }
    }

    pub(super) fn openapi(&self) -> Text {
        self.openapi.get_or_init(|| Text::new(self.document.to_string())).clone()
    }

    pub(super) fn postman(&self, docs: &Docs) -> Value {
        let product = &docs.blueprint.product;
        let about = postman::About { title: &product.title, description: &product.description, url: &docs.config.public_url };
        let more = super::openapi(&docs.blueprint, &self.typed, &docs.config);
        postman::collection(&about, &Reference::of(&postman::added(&self.document, &more)))
    }

    pub(super) fn postman_text(&self, docs: &Docs) -> Text {
        self.postman.get_or_init(|| Text::new(self.postman(docs).to_string())).clone()
    }

    pub(super) fn llms(&self, docs: &Docs) -> Text {
        self.llms.get_or_init(|| Text::new(llms::text(&docs.blueprint, &docs.config, &self.reference))).clone()
    }

    /// A page; none where there is no such group.
    pub(super) fn page(&self, docs: &Docs, page: Page<'_>, lang: Lang) -> Option<Text> {
        let pages = Pages {
            blueprint: &docs.blueprint,
            config: &docs.config,
            document: &self.document,
            reference: &self.reference,
            lang,
            personal: self.personal,
        };
        pages.render(page).map(Text::new)
    }
}
