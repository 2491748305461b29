//! What is known about a route: enough to guard it, to document it and to test it.

use http::Method;
use kernel::Permission;
use serde_json::Value;
use utoipa::ToSchema;

use crate::body::DEFAULT_BODY_LIMIT;
use crate::deprecation::Deprecation;
use crate::openapi::shape_of;
use crate::problem::{ErrorForm, problem};

/// Who may call a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, without a credential.
    Public,
    /// Any valid credential.
    AnyCredential,
    /// A credential that holds this permission.
    Permission(Permission),
    /// A credential that holds this permission, or one of these blueprint scopes: which of them opens what is the operation's business.
    PermissionOr(Permission, Vec<String>),
    /// The operator only.
    Operator,
    /// A credential that holds this blueprint scope; the empty scope asks for any valid credential.
    Scope(String),
}

/// A query parameter or a header, for the documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// Its JSON Schema. None: what parameters of this name are everywhere (`limit` is a number), or a text.
    pub schema: Option<Value>,
    /// Whether a call without it is refused.
    pub required: bool,
}

impl Parameter {
    /// One that may be left out.
    pub fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        Self { name: name.into(), about: about.into(), schema: None, required: false }
    }

    /// Sets its JSON Schema.
    #[must_use]
    pub fn schema(mut self, schema: Value) -> Self {
        self.schema = Some(schema);
        self
    }

    /// A call without it is refused.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// The JSON Schema of a body or an answer. Computed when the document is made, so that a running server does not hold it.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A Rust type's.
    Typed(fn() -> crate::openapi::TypeSchema),
    /// One row in a list: `{"data": […], "pagination": {…}}`.
    PageOf(fn() -> crate::openapi::TypeSchema),
    /// A hand-made one (blueprint-declared resources).
    Given(Value),
    /// Not JSON: this media type, such as `text/csv`.
    Media(&'static str),
}

/// The metadata of one route.
#[derive(Clone)]
pub struct Endpoint {
    /// The HTTP method.
    pub method: Method,
    /// The path in axum's syntax, such as `/api/v1/api-clients/{id}`.
    pub path: String,
    /// The operation id, such as `clients.create`.
    pub id: String,
    /// One line about it.
    pub summary: String,
    /// The group in the documentation.
    pub tag: String,
    /// Who may call it. Default: [`Access::AnyCredential`].
    pub access: Access,
    /// How its errors look. Default: [`problem`].
    pub errors: ErrorForm,
    /// Whether it honours `Idempotency-Key`. Default: true for POST, PUT and PATCH.
    pub idempotent: bool,
    /// The largest body in bytes. Default: 1 MiB.
    pub body_limit: usize,
    /// What a call costs in a rate limit. Default: 1.
    pub cost: u32,
    /// If it is on its way out: what its answers say about it.
    pub deprecation: Option<Deprecation>,
    /// More about it than one line, in Markdown.
    pub description: String,
    /// What is to be said of parameters in the path; one that is not named here is a text.
    pub path_parameters: Vec<Parameter>,
    /// The query parameters.
    pub query: Vec<Parameter>,
    /// The request headers that mean something here and not everywhere, such as `If-Match`.
    pub headers: Vec<Parameter>,
    /// Statuses of errors beside those that follow from all the rest (see `openapi`).
    pub failures: Vec<u16>,
    /// Whether the gate leaves it alone: it takes what it is asked to guarded routes itself.
    pub guarded_within: bool,
    /// Whether its calls stand in the request log although anyone may make them. Those with a credential always do.
    pub is_logged: bool,
    /// Whether the route is left out of the OpenAPI document (`/docs` itself, for example).
    pub hidden: bool,
    /// The request body, if there is one.
    pub body: Option<Shape>,
    /// Whether it may be left out.
    pub body_optional: bool,
    /// Media types that it may have instead of JSON.
    pub body_media: Vec<&'static str>,
    /// An example of the body; none: one is made of its schema.
    pub body_example: Option<Value>,
    /// The successful answers by status; a status without a shape has no body. A status may stand here once for each media type.
    pub answers: Vec<(u16, Option<Shape>)>,
}

impl Endpoint {
    /// Any method.
    pub fn new(method: Method, path: impl Into<String>, id: impl Into<String>) -> Self {
        let idempotent = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        Self {
            method,
            path: path.into(),
            id: id.into(),
            summary: String::new(),
            tag: String::new(),
            access: Access::AnyCredential,
            errors: problem(),
            idempotent,
            body_limit: DEFAULT_BODY_LIMIT,
            cost: 1,
            deprecation: None,
            description: String::new(),
            path_parameters: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            failures: Vec::new(),
            guarded_within: false,
            is_logged: false,
            hidden: false,
            body: None,
            body_optional: false,
            body_media: Vec::new(),
            body_example: None,
            answers: Vec::new(),
        }
    }

    /// A GET (which answers HEAD too).
    pub fn get(path: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(Method::GET, path, id)
    }

    /// A POST.
    pub fn post(path: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(Method::POST, path, id)
    }

    /// A PUT.
    pub fn put(path: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(Method::PUT, path, id)
    }

    /// A PATCH.
    pub fn patch(path: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path, id)
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, id)
    }

    /// Sets the group in the documentation.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = tag.into();
        self
    }

    /// Sets the line about it.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Sets who may call it.
    #[must_use]
    pub fn needs(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets how its errors look.
    #[must_use]
    pub fn errors(mut self, form: ErrorForm) -> Self {
        self.errors = form;
        self
    }

    /// Sets whether `Idempotency-Key` is honoured.
    #[must_use]
    pub fn idempotent(mut self, honoured: bool) -> Self {
        self.idempotent = honoured;
        self
    }

    /// Sets the largest body in bytes.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets what a call costs in a rate limit.
    #[must_use]
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Says with every answer that it is on its way out, if it is.
    #[must_use]
    pub fn deprecated(mut self, deprecation: Option<Deprecation>) -> Self {
        self.deprecation = deprecation;
        self
    }

    /// The gate leaves it alone: it takes what it is asked to guarded routes itself.
    #[must_use]
    pub fn guarded_within(mut self) -> Self {
        self.guarded_within = true;
        self
    }

    /// Its calls stand in the request log although anyone may make them, under the tenant that the answer names ([`crate::ActedFor`]).
    #[must_use]
    pub fn logged(mut self) -> Self {
        self.is_logged = true;
        self
    }

    /// Leaves it out of the OpenAPI document.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Adds query parameters: name and what it does.
    #[must_use]
    pub fn query(mut self, parameters: &[(&str, &str)]) -> Self {
        self.query.extend(parameters.iter().map(|(name, about)| Parameter::new(*name, *about)));
        self
    }

    /// Adds a query parameter with all that is to be said of it.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.query.push(parameter);
        self
    }

    /// Says what a parameter in the path is.
    #[must_use]
    pub fn path_parameter(mut self, parameter: Parameter) -> Self {
        self.path_parameters.push(parameter);
        self
    }

    /// Adds a request header that means something here.
    #[must_use]
    pub fn header(mut self, header: Parameter) -> Self {
        self.headers.push(header);
        self
    }

    /// Sets what is to be said beyond one line, in Markdown.
    #[must_use]
    pub fn describe(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Adds statuses of errors that do not follow from the rest, such as 412.
    #[must_use]
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        self.failures.extend(statuses);
        self
    }

    /// Adds the query parameters of every list: `limit`, `cursor`, `page`.
    #[must_use]
    pub fn paged(self) -> Self {
        self.query(&[
            ("limit", "Rows in the answer (default 20, most 100)"),
            ("cursor", "Go on where the last answer's nextCursor points"),
            ("page", "Or: the page, from 1"),
        ])
    }

    /// The request body is a `T`.
    #[must_use]
    pub fn body<T: ToSchema>(mut self) -> Self {
        self.body = Some(Shape::Typed(shape_of::<T>));
        self
    }

    /// The request body follows this JSON Schema.
    #[must_use]
    pub fn body_schema(mut self, schema: Value) -> Self {
        self.body = Some(Shape::Given(schema));
        self
    }

    /// The request body may be left out.
    #[must_use]
    pub fn body_may_be_absent(mut self) -> Self {
        self.body_optional = true;
        self
    }

    /// The request body may also be of this media type, such as `text/csv`.
    #[must_use]
    pub fn body_media(mut self, media: &'static str) -> Self {
        self.body_media.push(media);
        self
    }

    /// Sets the example of the request body.
    #[must_use]
    pub fn body_example(mut self, example: Value) -> Self {
        self.body_example = Some(example);
        self
    }

    /// Answers `status` with a `T`.
    #[must_use]
    pub fn answers<T: ToSchema>(mut self, status: u16) -> Self {
        self.answers.push((status, Some(Shape::Typed(shape_of::<T>))));
        self
    }

    /// Answers 200 with a list of `T`: `{"data": […], "pagination": {…}}`.
    #[must_use]
    pub fn answers_page<T: ToSchema>(mut self) -> Self {
        self.answers.push((200, Some(Shape::PageOf(shape_of::<T>))));
        self
    }

    /// Answers `status` with what follows this JSON Schema.
    #[must_use]
    pub fn answers_schema(mut self, status: u16, schema: Value) -> Self {
        self.answers.push((status, Some(Shape::Given(schema))));
        self
    }

    /// Answers `status` with something that is not JSON. May be said of a status more than once: the caller chooses among them.
    #[must_use]
    pub fn answers_media(mut self, status: u16, media: &'static str) -> Self {
        self.answers.push((status, Some(Shape::Media(media))));
        self
    }

    /// Answers `status` without a body.
    #[must_use]
    pub fn answers_empty(mut self, status: u16) -> Self {
        self.answers.push((status, None));
        self
    }

    /// Answers 204.
    #[must_use]
    pub fn answers_nothing(mut self) -> Self {
        self.answers.push((204, None));
        self
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({}, {:?})", self.method, self.path, self.id, self.access)
    }
}
