//! What an operation costs, before anything of it runs.
//!
//! Every field that is selected counts 1, `__typename` too; what a list shows counts once for each record that it may have: as many as
//! `first` or `last` say, and 20 where they say nothing. Counting all matches counts 100, a mutation and a subscription 10. Fragments count
//! where they are used. The walk stops as soon as a limit is passed, so that no document costs more to measure than the limit allows.
//!
//! Introspection has bounds of its own: it reads memory only, but lists of types nest without end.

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value as Literal;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::model::{Form, MUTATION, Model, ObjectType, QUERY, SUBSCRIPTION, Source};

use super::too_deep;

/// How many records a list counts that says nothing about it.
pub(crate) const UNSAID: u64 = 20;
/// What changing and subscribing count.
const DEAR: u64 = 10;
/// What counting all matches counts: it looks at every one of them.
const SCAN: u64 = 100;
/// How deep fragments may use fragments.
const MAX_SPREADS: usize = 40;
/// How often lists of an introspection may nest.
const MAX_INTROSPECTED_LISTS: u32 = 2;
/// How deep an introspection may be.
const MAX_INTROSPECTION_DEPTH: u32 = 24;
/// How many fields an introspection may select.
const MAX_INTROSPECTED: u64 = 500;
/// Lists of an introspection that lead to types again.
const CIRCULAR: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// What operations may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Fields below fields.
    pub(crate) depth: u32,
    /// In all.
    pub(crate) complexity: u64,
    /// Whether the schema itself may be asked for.
    pub(crate) introspection: bool,
}

/// What an operation costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Fields below fields.
    pub(crate) depth: u32,
    /// In all.
    pub(crate) complexity: u64,
    /// Whether it asks for the schema itself.
    pub(crate) introspects: bool,
}

/// Measures an operation. `variables`: as they were sent.
///
/// Errors: `query_too_deep`, `query_too_complex`, `fragment_cycle`, `introspection_disabled`.
pub(crate) fn measure(
    model: &Model,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Map<String, Value>,
    bounds: Bounds,
) -> Result<Cost, Failure> {
    let root = match operation.ty {
        OperationType::Query => QUERY,
        OperationType::Mutation => MUTATION,
        OperationType::Subscription => SUBSCRIPTION,
    };
    let mut walk =
        Walk { model, document, operation, variables, bounds, cost: Cost::default(), introspected: 0, spreads: Vec::new(), steps: 0 };
    walk.selections(model.object(root), &operation.selection_set.node, At { depth: 1, weight: 1, each: 1 })?;
    Ok(walk.cost)
}

struct Walk<'a> {
    model: &'a Model,
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Map<String, Value>,
    bounds: Bounds,
    cost: Cost,
    introspected: u64,
    /// Fragments on the way here.
    spreads: Vec<&'a Name>,
    steps: u64,
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct At {
    depth: u32,
    /// How often what is here may be in the answer.
    weight: u64,
    /// How many records the connection has whose fields these are.
    each: u64,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, object: Option<&'a ObjectType>, set: &'a SelectionSet, at: At) -> Result<(), Failure> {
        for selection in &set.items {
            // What a document can make the walk do without a field that counts: spreads of spreads.
            self.steps += 1;
            if self.steps > self.bounds.complexity.saturating_mul(4).saturating_add(10_000) {
                return Err(self.too_complex());
            }
            match &selection.node {
                Selection::Field(field) => self.field(object, &field.node, at)?,
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    let object = on.map_or(object, |name| self.model.object(name));
                    self.selections(object, &fragment.node.selection_set.node, at)?;
                }
                Selection::FragmentSpread(spread) => self.spread(&spread.node.fragment_name, at)?,
            }
        }
        Ok(())
    }

    fn spread(&mut self, name: &'a Positioned<Name>, at: At) -> Result<(), Failure> {
        // One that is not there is found by validation.
        let Some(fragment) = self.document.fragments.get(&name.node) else { return Ok(()) };
        if self.spreads.contains(&&name.node) {
            return Err(Failure::new("fragment_cycle", "A fragment uses itself, perhaps by way of others.").at(name.pos));
        }
        if self.spreads.len() >= MAX_SPREADS {
            return Err(too_deep());
        }
        self.spreads.push(&name.node);
        let object = self.model.object(&fragment.node.type_condition.node.on.node);
        self.selections(object, &fragment.node.selection_set.node, at)?;
        self.spreads.pop();
        Ok(())
    }

    fn field(&mut self, object: Option<&'a ObjectType>, field: &'a async_graphql::parser::types::Field, at: At) -> Result<(), Failure> {
        let name = field.name.node.as_str();
        if matches!(name, "__schema" | "__type") && at.depth == 1 {
            if !self.bounds.introspection {
                let detail = "Introspection is switched off here.";
                return Err(Failure::new("introspection_disabled", detail).at(field.name.pos));
            }
            self.cost.introspects = true;
            self.add(1)?;
            return self.introspection(&field.selection_set.node, 1, 0);
        }
        self.reach(at.depth)?;
        let known = object.and_then(|object| object.field(name));
        let source = known.map(|known| &known.source);
        // Edges and nodes are as many as their connection has.
        let weight = match source {
            Some(Source::Edges | Source::Nodes) => at.weight.saturating_mul(at.each),
            _ => at.weight,
        };
        let own = match source {
            Some(Source::TotalCount) => SCAN,
            Some(Source::Create(_) | Source::Update(_) | Source::Delete(_) | Source::Events) => DEAR,
            _ => 1,
        };
        self.add(at.weight.saturating_mul(own))?;
        let (weight, each) = match source {
            Some(Source::List(_, form) | Source::Children(_, _, form)) => match (form, self.size(field)) {
                (Form::Connection, size) => (weight, size),
                (Form::Plain, size) => (weight.saturating_mul(size), 1),
            },
            _ => (weight, 1),
        };
        let inner = known.and_then(|known| self.model.object(known.ty.name()));
        self.selections(inner, &field.selection_set.node, At { depth: at.depth + 1, weight, each })
    }

    /// How many records a list may have.
    fn size(&self, field: &async_graphql::parser::types::Field) -> u64 {
        let said = ["first", "last", "limit"].iter().find_map(|name| self.number(&field.get_argument(name)?.node));
        said.unwrap_or(UNSAID).max(1)
    }

    fn number(&self, literal: &Literal) -> Option<u64> {
        match literal {
            Literal::Number(number) => number.as_u64(),
            Literal::Variable(name) => match self.variables.get(name.as_str()) {
                Some(value) => value.as_u64(),
                None => {
                    let definition = self.operation.variable_definitions.iter().find(|one| one.node.name.node == *name)?;
                    match &definition.node.default_value.as_ref()?.node {
                        async_graphql::Value::Number(number) => number.as_u64(),
                        _ => None,
                    }
                }
            },
            _ => None,
        }
    }

    fn introspection(&mut self, set: &'a SelectionSet, depth: u32, lists: u32) -> Result<(), Failure> {
        if depth > MAX_INTROSPECTION_DEPTH || lists > MAX_INTROSPECTED_LISTS {
            return Err(too_deep());
        }
        for selection in &set.items {
            self.introspected += 1;
            if self.introspected > MAX_INTROSPECTED {
                return Err(Failure::new("query_too_complex", format!("An introspection may select {MAX_INTROSPECTED} fields.")));
            }
            match &selection.node {
                Selection::Field(field) => {
                    let lists = lists + u32::from(CIRCULAR.contains(&field.node.name.node.as_str()));
                    self.introspection(&field.node.selection_set.node, depth + 1, lists)?;
                }
                Selection::InlineFragment(fragment) => self.introspection(&fragment.node.selection_set.node, depth + 1, lists)?,
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name) {
                        self.introspection(&fragment.node.selection_set.node, depth + 1, lists)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn reach(&mut self, depth: u32) -> Result<(), Failure> {
        self.cost.depth = self.cost.depth.max(depth);
        if depth > self.bounds.depth {
            let detail =
                format!("The operation is deeper than {} fields, which is the limit here. Ask for less at once.", self.bounds.depth);
            return Err(Failure::new("query_too_deep", detail).with("limit", self.bounds.depth));
        }
        Ok(())
    }

    fn add(&mut self, cost: u64) -> Result<(), Failure> {
        self.cost.complexity = self.cost.complexity.saturating_add(cost);
        if self.cost.complexity > self.bounds.complexity { Err(self.too_complex()) } else { Ok(()) }
    }

    fn too_complex(&self) -> Failure {
        let limit = self.bounds.complexity;
        let detail = format!(
            "The operation costs more than {limit}, which is the limit here. Ask for fewer fields, or say with first how many records a list \
             shows: without it a list counts as {UNSAID}."
        );
        Failure::new("query_too_complex", detail).with("limit", limit)
    }
}
