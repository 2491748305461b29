//! A mapping as it is written, read: everything that is wrong is said at once.

use std::collections::BTreeMap;

use crate::bounds::{MAX_CONSTANT, MAX_DEPTH, MAX_FIELDS, MAX_NAME};
use crate::input::{Direction, FieldMapping, MappingInput, RulesInput, TransformInput};
use crate::mapping::{Field, Mapping, Way};
use crate::problem::Problem;
use crate::rules::Rules;
use crate::transforms::{Defaults, Step, backwards, is_country, parse};
use crate::value_map::ValueMap;

impl Mapping {
    /// Reads a mapping. Functions are only measured; [`Mapping::check`] runs them.
    ///
    /// Errors: every fault with its place.
    pub fn compile(input: &MappingInput) -> Result<Self, Vec<Problem>> {
        let mut faults = Faults::default();
        if input.field_mappings.is_empty() || input.field_mappings.len() > MAX_FIELDS {
            faults.add("fields", "/fieldMappings", format!("a mapping has 1 to {MAX_FIELDS} fields"));
            return Err(faults.problems);
        }
        if input.default_country.as_deref().is_some_and(|code| !is_country(code)) {
            faults.add("country", "/defaultCountry", "a country is a code of two capital letters: DE");
        }
        let mut fields = Vec::with_capacity(input.field_mappings.len());
        for (index, field) in input.field_mappings.iter().enumerate() {
            let mut reader = Reader { input, field, at: format!("/fieldMappings/{index}"), faults: &mut faults };
            fields.extend(reader.read());
        }
        if faults.problems.is_empty() {
            check_together(&fields, &mut faults);
        }
        if !faults.problems.is_empty() {
            return Err(faults.problems);
        }
        Ok(Self { fields, policy: input.conflict_resolution.unwrap_or_default(), warnings: faults.warnings })
    }
}

#[derive(Default)]
struct Faults {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Faults {
    fn add(&mut self, rule: &str, at: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(rule, at, message));
    }
}

struct Reader<'a> {
    input: &'a MappingInput,
    field: &'a FieldMapping,
    at: String,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn fault(&mut self, rule: &str, member: &str, message: impl Into<String>) {
        self.faults.add(rule, format!("{}/{member}", self.at), message);
    }

    fn read(&mut self) -> Option<Field> {
        self.names()?;
        let direction = self.direction()?;
        let (to_remote, to_local) = self.ways(direction)?;
        let value_map = self.value_map(direction)?;
        if self.field.key && (self.field.local_field.is_none() || self.field.remote_field.is_none()) {
            self.fault("key", "key", "the key is a field of both sides");
            return None;
        }
        Some(Field {
            local: self.field.local_field.clone(),
            remote: self.field.remote_field.clone(),
            direction,
            policy: self.field.conflict_resolution,
            key: self.field.key,
            constant: self.field.constant.clone(),
            to_remote,
            to_local,
            value_map,
        })
    }

    fn names(&mut self) -> Option<()> {
        let field = self.field;
        let mut good = true;
        for (member, name, depth) in [("localField", &field.local_field, MAX_DEPTH), ("remoteField", &field.remote_field, MAX_NAME)] {
            if let Some(Err(fault)) = name.as_deref().map(|name| check_name(name, depth)) {
                self.fault("name", member, fault);
                good = false;
            }
        }
        let sides = usize::from(field.local_field.is_some()) + usize::from(field.remote_field.is_some());
        match (&field.constant, sides) {
            (Some(_), 1) | (None, 2) => {}
            (Some(_), _) => {
                self.fault("constant", "constant", "a constant stands beside exactly one of localField and remoteField");
                good = false;
            }
            (None, _) => {
                let missing = if field.local_field.is_none() { "localField" } else { "remoteField" };
                self.fault("required", missing, "a field has localField and remoteField, or one of them and a constant");
                good = false;
            }
        }
        for (member, value) in [("constant", &field.constant), ("default", &field.default), ("defaultLocal", &field.default_local)] {
            if value.as_ref().is_some_and(|value| value.to_string().len() > MAX_CONSTANT) {
                self.fault("size", member, format!("at most {} KB of JSON", MAX_CONSTANT / 1024));
                good = false;
            }
        }
        good.then_some(())
    }

    fn direction(&mut self) -> Option<Direction> {
        let field = self.field;
        let one_way = self.input.one_way.filter(|way| *way != Direction::Both).unwrap_or(Direction::ToRemote);
        if field.constant.is_some() {
            let implied = if field.remote_field.is_some() { Direction::ToRemote } else { Direction::ToLocal };
            if field.direction.is_some_and(|given| given != implied) || field.bidirectional == Some(true) {
                self.fault("direction", "direction", "a constant goes to the side whose field it names");
                return None;
            }
            return Some(implied);
        }
        match (field.direction, field.bidirectional) {
            (Some(given), Some(both)) if both != (given == Direction::Both) => {
                self.fault("direction", "bidirectional", "bidirectional and direction contradict each other; one of them is enough");
                None
            }
            (Some(given), _) => Some(given),
            (None, Some(false)) => Some(one_way),
            (None, _) => Some(Direction::Both),
        }
    }

    fn ways(&mut self, direction: Direction) -> Option<(Way, Way)> {
        let field = self.field;
        if direction != Direction::Both {
            let extra = [
                ("toLocal", field.to_local.is_some()),
                ("defaultLocal", field.default_local.is_some()),
                ("validateLocal", field.validate_local.is_some()),
            ];
            if let Some((member, _)) = extra.into_iter().find(|(_, given)| *given) {
                self.fault("direction", member, "this is for fields that go both ways; the field goes one way");
                return None;
            }
        }
        let steps = self.steps("transformer", field.transformer.as_ref())?;
        let rules = self.rules("validate", field.validate.as_ref())?;
        let main = Way { steps, from: field.local_type, to: field.remote_type, default: field.default.clone(), rules };
        match direction {
            Direction::ToRemote => Some((main, Way::default())),
            Direction::ToLocal => Some((Way::default(), Way { from: field.remote_type, to: field.local_type, ..main })),
            Direction::Both => {
                let steps = self.steps_back(&main.steps)?;
                let rules = self.rules("validateLocal", field.validate_local.as_ref())?;
                let default = field.default_local.clone();
                Some((main, Way { steps, from: field.remote_type, to: field.local_type, default, rules }))
            }
        }
    }

    fn steps(&mut self, member: &str, input: Option<&TransformInput>) -> Option<Vec<Step>> {
        let Some(input) = input else { return Some(Vec::new()) };
        let defaults = Defaults { country: self.input.default_country.as_deref() };
        parse(input, defaults).map_err(|fault| self.fault("transformer", member, fault)).ok()
    }

    fn steps_back(&mut self, there: &[Step]) -> Option<Vec<Step>> {
        if self.field.to_local.is_some() {
            return self.steps("toLocal", self.field.to_local.as_ref());
        }
        match backwards(there) {
            Ok((back, has_functions)) => {
                if has_functions {
                    let message = "the field goes both ways and its function only there: what comes back is taken as it is. Give toLocal, or \
                                   let it go one way";
                    self.faults.warnings.push(Problem::new("transformer", format!("{}/transformer", self.at), message));
                }
                Some(back)
            }
            Err(name) => {
                let message = format!("{name} has no way back: give toLocal, or let the field go one way (bidirectional: false)");
                self.fault("transformer", "transformer", message);
                None
            }
        }
    }

    fn rules(&mut self, member: &str, input: Option<&RulesInput>) -> Option<Rules> {
        let Some(input) = input else { return Some(Rules::default()) };
        Rules::new(input).map_err(|(rule, fault)| self.fault(rule, &format!("{member}/{rule}"), fault)).ok()
    }

    #[expect(clippy::option_option, reason = "none is a fault, no table is none inside")]
    fn value_map(&mut self, direction: Direction) -> Option<Option<ValueMap>> {
        let Some(table) = &self.field.value_map else { return Some(None) };
        let needs_back = direction.to_local() && !self.field.value_map_one_way;
        let read = ValueMap::new(table, self.field.unmapped.unwrap_or_default(), needs_back);
        read.map(Some).map_err(|fault| self.fault("valueMap", "valueMap", fault)).ok()
    }
}

/// What only all fields together show: two that write one field, a field inside of another, two keys.
fn check_together(fields: &[Field], faults: &mut Faults) {
    let mut keys = 0;
    let (mut local, mut remote) = (BTreeMap::new(), BTreeMap::new());
    for (index, field) in fields.iter().enumerate() {
        let at = |member: &str| format!("/fieldMappings/{index}/{member}");
        keys += usize::from(field.key);
        if field.key && keys > 1 {
            faults.add("key", at("key"), "one field of a mapping is the key");
        }
        if let Some(name) = field.remote.as_deref().filter(|_| field.direction.to_remote())
            && let Some(other) = remote.insert(name, index)
        {
            faults.add("duplicate", at("remoteField"), format!("field {other} writes {name} as well"));
        }
        if let Some(name) = field.local.as_deref().filter(|_| field.direction.to_local())
            && let Some(other) = local.insert(name, index)
        {
            faults.add("duplicate", at("localField"), format!("field {other} writes {name} as well"));
        }
    }
    for (name, index) in &local {
        let inner = format!("{name}.");
        if let Some((other, _)) = local.range(inner.as_str()..).next().filter(|(other, _)| other.starts_with(&inner)) {
            faults.add(
                "duplicate",
                format!("/fieldMappings/{index}/localField"),
                format!("it has {other} inside, which is written as well"),
            );
        }
    }
}

/// Errors: what is wrong with a field's name. `depth`: most steps of its path.
pub(crate) fn check_name(name: &str, depth: usize) -> Result<(), String> {
    let is_plain = !name.is_empty() && name.len() <= MAX_NAME && name.trim() == name && !name.chars().any(char::is_control);
    if !is_plain {
        return Err(format!("the name of a field is a text of 1 to {MAX_NAME} bytes without spaces around it"));
    }
    let steps = name.split('.');
    if depth <= MAX_DEPTH && (name.split('.').any(str::is_empty) || steps.count() > depth) {
        return Err(format!("a path has at most {depth} steps with dots between them: address.city"));
    }
    Ok(())
}
