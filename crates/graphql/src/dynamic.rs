//! The schema of a model in the library's terms: it validates documents and answers introspection. It executes nothing: see [`crate::execute`],
//! which knows how to read many records at once.

use std::sync::Arc;

use async_graphql::dynamic::{
    Enum, Field, FieldFuture, InputObject, InputValue, Object, Scalar, Schema, Subscription, SubscriptionField, SubscriptionFieldFuture,
    TypeRef,
};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation};
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{CacheControl, Positioned, Request, Response, ServerError, ValidationResult, Variables};
use kernel::{Error, Result};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::model::{Argument, MUTATION, Model, ObjectType, QUERY, SUBSCRIPTION, Scalar as OwnScalar, Ty};

/// Deepest document that the library looks at; ours are bounded below this.
const DEEPEST: usize = 256;
/// Most errors of validation that are told.
const MAX_FAULTS: usize = 20;

/// The library's schema.
#[derive(Clone)]
pub(crate) struct Validator(Schema);

impl Validator {
    /// Of a model.
    ///
    /// Errors: internal, with what the library says is wrong with the schema.
    pub(crate) fn new(model: &Model) -> Result<Self> {
        let has = |name: &str| model.object(name).is_some().then(|| name.to_owned());
        let (mutation, subscription) = (has(MUTATION), has(SUBSCRIPTION));
        let mut builder = Schema::build(QUERY, mutation.as_deref(), subscription.as_deref());
        builder = builder.limit_recursive_depth(DEEPEST).disable_suggestions().extension(OnlyValidate);
        for (scalar, about) in [(OwnScalar::Json, "Any value of JSON."), (OwnScalar::DateTime, "A time, RFC 3339.")] {
            builder = builder.register(Scalar::new(scalar.name()).description(about));
        }
        for one in &model.enums {
            let items = one.values.iter().map(|value| async_graphql::dynamic::EnumItem::new(value.as_str()));
            builder = builder.register(said(Enum::new(&one.name), &one.description, Enum::description).items(items));
        }
        for input in &model.inputs {
            let object = said(InputObject::new(&input.name), &input.description, InputObject::description);
            builder = builder.register(input.fields.iter().fold(object, |object, field| object.field(value(field))));
        }
        for object in &model.objects {
            builder = if object.name == SUBSCRIPTION { builder.register(subscribed(object)) } else { builder.register(plain(object)) };
        }
        builder.finish().map(Self).map_err(|error| Error::internal(format!("a GraphQL schema: {}", error.0)))
    }

    /// The schema as SDL.
    pub(crate) fn sdl(&self) -> String {
        self.0.sdl()
    }

    /// What the rules of GraphQL §5 say about a document; empty: it is valid, whatever its variables will be.
    pub(crate) async fn faults(&self, document: &ExecutableDocument, operation: Option<&str>) -> Vec<Failure> {
        let mut request = Request::new("").data(Mode::Validate);
        request.operation_name = operation.map(str::to_owned);
        request.set_parsed_query(document.clone());
        let response = self.0.execute(request).await;
        let told = response.errors.into_iter().take(MAX_FAULTS).map(|error| {
            let failure = Failure::new("graphql_validation_failed", error.message);
            error.locations.into_iter().take(2).fold(failure, Failure::at)
        });
        told.collect()
    }

    /// What `__schema` and `__type` at the root of a query answer, by their response keys.
    pub(crate) async fn introspect(
        &self,
        document: &ExecutableDocument,
        operation: &Positioned<OperationDefinition>,
        fields: Vec<Positioned<async_graphql::parser::types::Field>>,
        variables: &Map<String, Value>,
    ) -> std::result::Result<Map<String, Value>, Vec<Failure>> {
        let items = fields.into_iter().map(|field| Positioned::new(Selection::Field(field.clone()), field.pos)).collect();
        let mut alone = operation.clone();
        alone.node.selection_set.node = SelectionSet { items };
        let asked = ExecutableDocument {
            operations: async_graphql::parser::types::DocumentOperations::Single(alone),
            fragments: document.fragments.clone(),
        };
        let mut request = Request::new("").data(Mode::Introspect);
        request.variables = Variables::from_json(Value::Object(variables.clone()));
        request.set_parsed_query(asked);
        let response = self.0.execute(request).await;
        if !response.errors.is_empty() {
            return Err(response.errors.into_iter().map(|error| Failure::new("graphql_validation_failed", error.message)).collect());
        }
        match response.data.into_json() {
            Ok(Value::Object(data)) => Ok(data),
            _ => Ok(Map::new()),
        }
    }
}

/// What a request to the library is for.
enum Mode {
    Validate,
    Introspect,
}

/// Ends a request for validation before anything is executed.
struct OnlyValidate;

impl ExtensionFactory for OnlyValidate {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for OnlyValidate {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> std::result::Result<ValidationResult, Vec<ServerError>> {
        match ctx.data_opt::<Mode>() {
            // A part of a document that was found valid as a whole; alone, it may use neither all variables nor all fragments.
            Some(Mode::Introspect) => Ok(ValidationResult { cache_control: CacheControl::default(), complexity: 0, depth: 0 }),
            _ => next.run(ctx).await,
        }
    }

    async fn execute(&self, ctx: &ExtensionContext<'_>, operation: Option<&str>, next: NextExecute<'_>) -> Response {
        match ctx.data_opt::<Mode>() {
            Some(Mode::Introspect) => next.run(ctx, operation).await,
            _ => Response::default(),
        }
    }
}

fn reference(ty: &Ty) -> TypeRef {
    match ty {
        Ty::Named(name) => TypeRef::named(name),
        Ty::List(inner) => TypeRef::List(Box::new(reference(inner))),
        Ty::NonNull(inner) => TypeRef::NonNull(Box::new(reference(inner))),
    }
}

/// Describes a thing, where there is something to say: the library would print an empty description as one.
fn said<'a, T>(thing: T, about: &'a str, describe: impl FnOnce(T, &'a str) -> T) -> T {
    if about.is_empty() { thing } else { describe(thing, about) }
}

fn value(argument: &Argument) -> InputValue {
    let value = said(InputValue::new(&argument.name, reference(&argument.ty)), &argument.description, InputValue::description);
    match &argument.default {
        // The defaults of a model are words of enumerations, numbers and truth values.
        Some(Value::String(word)) => value.default_value(async_graphql::Value::Enum(async_graphql::Name::new(word))),
        Some(other) => value.default_value(async_graphql::Value::from_json(other.clone()).unwrap_or_default()),
        None => value,
    }
}

fn plain(object: &ObjectType) -> Object {
    object.fields.iter().fold(said(Object::new(&object.name), &object.description, Object::description), |out, field| {
        let own = Field::new(&field.name, reference(&field.ty), |_| FieldFuture::Value(None));
        let own = said(own, &field.description, Field::description);
        out.field(field.arguments.iter().fold(own, |own, argument| own.argument(value(argument))))
    })
}

fn subscribed(object: &ObjectType) -> Subscription {
    object.fields.iter().fold(said(Subscription::new(&object.name), &object.description, Subscription::description), |out, field| {
        let own = SubscriptionField::new(&field.name, reference(&field.ty), |_| {
            SubscriptionFieldFuture::new(async { Ok(futures_util::stream::empty::<async_graphql::Result<async_graphql::Value>>()) })
        });
        let own = said(own, &field.description, SubscriptionField::description);
        out.field(field.arguments.iter().fold(own, |own, argument| own.argument(value(argument))))
    })
}
