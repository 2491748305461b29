//! A manifest that has been checked: what the interpreter works with.

use http::{HeaderName, Method};

use super::form;
use super::template::{Reference, Shape, Template};
use crate::{About, Allowance, Setting};

/// A whole manifest.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) about: About,
    pub(super) settings: Vec<Setting>,
    pub(super) allowances: Vec<Allowance>,
    pub(super) budgets: Vec<form::Budget>,
    pub(super) base_url: Option<Template>,
    pub(super) errors: form::Errors,
    pub(super) test: Operation<form::Test>,
    pub(super) objects: Vec<Object>,
    pub(super) webhook: Option<form::Webhook>,
}

/// A request and what its answer means.
#[derive(Debug)]
pub(super) struct Operation<T> {
    pub(super) request: Request,
    pub(super) answer: T,
}

/// A request to be filled in.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: Template,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) body: Option<Shape>,
    pub(super) cost: u32,
    pub(super) repeatable: bool,
}

impl Request {
    /// Whether something in it names this.
    pub(super) fn names(&self, reference: &Reference) -> bool {
        let mut templates = vec![&self.path];
        templates.extend(self.query.iter().map(|(_, template)| template));
        templates.extend(self.headers.iter().map(|(_, template)| template));
        if let Some(body) = &self.body {
            body.templates(&mut templates);
        }
        templates.iter().any(|template| template.references().any(|one| one == reference))
    }
}

/// An object and what can be done with it.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) form: form::Object,
    pub(super) list: Option<Operation<form::List>>,
    pub(super) get: Option<Operation<form::Get>>,
    pub(super) get_many: Option<Operation<form::GetMany>>,
    pub(super) search: Vec<Operation<form::Search>>,
    pub(super) create: Option<Operation<form::Write>>,
    pub(super) update: Option<Operation<form::Write>>,
    pub(super) upsert: Option<Operation<form::Upsert>>,
    pub(super) delete: Option<Operation<form::Nothing>>,
    pub(super) deleted: Option<Operation<form::Deleted>>,
    pub(super) schema: Option<Operation<form::Schema>>,
    pub(super) fields: Vec<form::Field>,
    pub(super) watch: Option<Operation<form::Watch>>,
    pub(super) unwatch: Option<Operation<form::Nothing>>,
}

impl Model {
    pub(super) fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.form.name == name)
    }
}
