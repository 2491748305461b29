//! Which fields a selection asks for (GraphQL §6.3.2): fragments expanded, `@skip` and `@include` heeded, the same response key once.

use async_graphql::parser::types::{Directive, Field as Selected, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};
use async_graphql_value::Value as Literal;
use serde_json::Value;

use super::Ready;
use crate::model::{Field, ObjectType, Ty};

/// Measured documents have no deeper fragments.
const DEEPEST: usize = 200;

/// A field that is asked for.
pub(super) struct Chosen<'a> {
    /// Its name in the answer.
    pub(super) key: &'a str,
    /// The field; none for `__typename`, `__schema`, `__type`.
    pub(super) field: Option<&'a Field>,
    /// Every selection of it; they differ in what they ask of it only.
    pub(super) selected: Vec<Positioned<Selected>>,
    /// What is asked of it.
    pub(super) sets: Vec<&'a SelectionSet>,
    first: &'a Positioned<Selected>,
}

impl<'a> Chosen<'a> {
    /// The name of a field that every schema has.
    pub(super) fn meta(&self) -> Option<&'a str> {
        self.field.is_none().then(|| self.first.node.name.node.as_str())
    }

    pub(super) fn pos(&self) -> Pos {
        self.first.pos
    }

    /// The first selection, whose arguments are those of all.
    pub(super) fn first(&self) -> &'a Positioned<Selected> {
        self.first
    }

    pub(super) fn may_be_null(&self) -> bool {
        match self.field {
            Some(field) => !matches!(field.ty, Ty::NonNull(_)),
            None => self.meta() == Some("__type"),
        }
    }
}

/// The fields of `object` that `sets` ask for, in their order.
pub(super) fn collect<'a>(ready: &'a Ready<'a>, object: &ObjectType, sets: &[&'a SelectionSet]) -> Vec<Chosen<'a>> {
    let mut out = Vec::new();
    // The model outlives the run: its fields are found there and not in what was lent for the call.
    if let Some(object) = ready.model.object(&object.name) {
        for set in sets {
            gather(ready, object, set, &mut out, 0);
        }
    }
    out
}

fn gather<'a>(ready: &'a Ready<'a>, object: &'a ObjectType, set: &'a SelectionSet, out: &mut Vec<Chosen<'a>>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    for selection in &set.items {
        if is_skipped(ready, selection.node.directives()) {
            continue;
        }
        match &selection.node {
            Selection::Field(field) => {
                let key = field.node.response_key().node.as_str();
                match out.iter_mut().find(|one| one.key == key) {
                    Some(one) => {
                        one.sets.push(&field.node.selection_set.node);
                        if one.field.is_none() {
                            one.selected.push(field.clone());
                        }
                    }
                    None => {
                        let known = object.field(field.node.name.node.as_str());
                        let selected = if known.is_none() { vec![field.clone()] } else { Vec::new() };
                        out.push(Chosen { key, field: known, selected, sets: vec![&field.node.selection_set.node], first: field });
                    }
                }
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                if on.is_none_or(|name| name == object.name) {
                    gather(ready, object, &fragment.node.selection_set.node, out, depth + 1);
                }
            }
            Selection::FragmentSpread(spread) => {
                let Some(fragment) = ready.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                if fragment.node.type_condition.node.on.node.as_str() == object.name {
                    gather(ready, object, &fragment.node.selection_set.node, out, depth + 1);
                }
            }
        }
    }
}

/// Whether a field of this name is asked for among these, whatever its key.
pub(super) fn asks_for(ready: &Ready<'_>, sets: &[&SelectionSet], name: &str) -> bool {
    sets.iter().any(|set| mentions(ready, set, name, 0))
}

fn mentions(ready: &Ready<'_>, set: &SelectionSet, name: &str, depth: usize) -> bool {
    depth <= DEEPEST
        && set.items.iter().any(|selection| match &selection.node {
            other if is_skipped(ready, other.directives()) => false,
            Selection::Field(field) => field.node.name.node == *name,
            Selection::InlineFragment(fragment) => mentions(ready, &fragment.node.selection_set.node, name, depth + 1),
            Selection::FragmentSpread(spread) => {
                let fragment = ready.document.fragments.get(&spread.node.fragment_name.node);
                fragment.is_some_and(|fragment| mentions(ready, &fragment.node.selection_set.node, name, depth + 1))
            }
        })
}

fn is_skipped(ready: &Ready<'_>, directives: &[Positioned<Directive>]) -> bool {
    directives.iter().any(|directive| {
        let holds = || match directive.node.get_argument("if").map(|value| &value.node) {
            Some(Literal::Boolean(flag)) => *flag,
            Some(Literal::Variable(name)) => ready.variables.get(name.as_str()) == Some(&Value::Bool(true)),
            _ => false,
        };
        match directive.node.name.node.as_str() {
            "skip" => holds(),
            "include" => !holds(),
            _ => false,
        }
    })
}
