//! Types for what a JSON Schema describes.
//!
//! What has no counterpart here (several types at once, free objects, recursion) is `JSON`: nothing of a record is out of reach.

use serde_json::{Map, Value};

use super::names::{self, Taken};
use super::{Argument, EnumType, Field, InputType, Model, ObjectType, Scalar, Source, Ty};

/// How deep objects in objects get types of their own.
const MAX_DEPTH: usize = 6;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A scalar.
    Scalar(Scalar),
    /// An enumeration of this name.
    Enum(String),
    /// An object type of this name; its inputs end in `Input` and `Patch`.
    Object(String),
    /// Many of one shape; whether one of them may be null.
    List(Box<Shape>, bool),
}

/// Which side of a schema a type is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What is answered.
    Output,
    /// A whole thing that is sent.
    Input,
    /// A part of a thing that is sent: what is absent stays as it is.
    Patch,
}

impl Shape {
    /// The type on one side, which may be null.
    pub(crate) fn ty(&self, side: Side) -> Ty {
        match self {
            Self::Scalar(scalar) => Ty::named(scalar.name()),
            Self::Enum(name) => Ty::named(name),
            Self::Object(name) => Ty::named(match side {
                Side::Output => name.clone(),
                Side::Input => format!("{name}Input"),
                Side::Patch => format!("{name}Patch"),
            }),
            Self::List(inner, nullable) => {
                // A list is sent whole, also in a patch.
                let inner = inner.ty(if side == Side::Patch { Side::Input } else { side });
                if *nullable { inner.list() } else { inner.required().list() }
            }
        }
    }
}

/// A member of a schema, by its name there and here.
pub(crate) struct Member {
    /// Where a record has it: names of members, each inside of the one before.
    pub(crate) path: Vec<String>,
    /// The name in the schema.
    pub(crate) field: String,
    /// What it is.
    pub(crate) shape: Shape,
    /// Whether a record always has it, and never as null.
    pub(crate) is_sure: bool,
    /// Whether whoever creates one must send it.
    pub(crate) is_wanted: bool,
    /// What the schema says about it.
    pub(crate) about: String,
}

impl Member {
    /// Whether it is this member of a record, and not a part of one.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.path == [name]
    }
}

/// Makes types, and puts them into a model.
pub(crate) struct Shapes<'a> {
    /// The whole schema, which references lead into.
    root: &'a Value,
    depth: usize,
}

impl<'a> Shapes<'a> {
    /// For the schema of a resource type.
    pub(crate) fn new(root: &'a Value) -> Self {
        Self { root, depth: 0 }
    }

    /// The members of the whole schema; types inside are named after `owner`.
    pub(crate) fn members(&mut self, model: &mut Model, owner: &str) -> Vec<Member> {
        let root = self.root;
        self.members_of(model, owner, root)
    }

    fn members_of(&mut self, model: &mut Model, owner: &str, schema: &Value) -> Vec<Member> {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut taken = Taken::default();
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut out = Vec::new();
        for (name, property) in properties {
            let field = taken.take(names::member_name(name));
            let (shape, nullable) = self.shape(model, &format!("{owner}{}", names::upper(&field)), property);
            let is_required = required.contains(&name.as_str());
            let about = property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
            let has_default = property.get("default").is_some();
            out.push(Member {
                path: vec![name.clone()],
                field,
                shape,
                is_sure: is_required && !nullable,
                is_wanted: is_required && !nullable && !has_default,
                about,
            });
        }
        out
    }

    /// What a property is, and whether it may be null.
    pub(crate) fn shape(&mut self, model: &mut Model, name: &str, schema: &Value) -> (Shape, bool) {
        const JSON: (Shape, bool) = (Shape::Scalar(Scalar::Json), true);
        let Some(schema) = self.resolved(schema) else { return JSON };
        let (types, nullable) = types(schema);
        if let Some(values) = words(schema) {
            if !values.is_empty() && values.iter().all(|value| is_value_name(value)) {
                let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
                model.add_enum(EnumType { name: name.to_owned(), description, values });
                return (Shape::Enum(name.to_owned()), nullable);
            }
            return (Shape::Scalar(Scalar::String), nullable);
        }
        let shape = match types.as_slice() {
            ["string"] if schema.get("format").and_then(Value::as_str) == Some("date-time") => Shape::Scalar(Scalar::DateTime),
            ["string"] => Shape::Scalar(Scalar::String),
            ["boolean"] => Shape::Scalar(Scalar::Boolean),
            ["integer"] if is_small(schema) => Shape::Scalar(Scalar::Int),
            ["integer" | "number"] => Shape::Scalar(Scalar::Float),
            ["array"] => self.list(model, name, schema),
            ["object"] => self.object(model, name, schema),
            _ => return JSON,
        };
        (shape, nullable)
    }

    fn list(&mut self, model: &mut Model, name: &str, schema: &Value) -> Shape {
        let Some(items) = schema.get("items").filter(|items| items.is_object()) else {
            return Shape::List(Box::new(Shape::Scalar(Scalar::Json)), true);
        };
        let (inner, nullable) = self.shape(model, &format!("{name}Item"), items);
        Shape::List(Box::new(inner), nullable)
    }

    fn object(&mut self, model: &mut Model, name: &str, schema: &Value) -> Shape {
        let declared = schema.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty());
        let open = schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
        if !declared || open || self.depth >= MAX_DEPTH || model.kind(name).is_some() {
            return Shape::Scalar(Scalar::Json);
        }
        self.depth += 1;
        let members = self.members_of(model, name, schema);
        self.depth -= 1;
        let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let fields = members.iter().map(|member| {
            let ty = member.shape.ty(Side::Output);
            let ty = if member.is_sure { ty.required() } else { ty };
            Field::new(&member.field, ty, Source::Member(member.path.clone())).about(&member.about)
        });
        model.add_object(ObjectType { name: name.to_owned(), description: description.to_owned(), fields: fields.collect() });
        for side in [Side::Input, Side::Patch] {
            let suffix = if side == Side::Input { "Input" } else { "Patch" };
            let fields = members.iter().map(|member| {
                let ty = member.shape.ty(side);
                let ty = if member.is_wanted && side == Side::Input { ty.required() } else { ty };
                Argument::new(&member.field, ty, &member.about).of(&member.path)
            });
            model.add_input(InputType { name: format!("{name}{suffix}"), description: description.to_owned(), fields: fields.collect() });
        }
        Shape::Object(name.to_owned())
    }

    /// The schema itself, or what its `$ref` leads to inside of the whole; none for a reference that leads nowhere or in a circle.
    fn resolved<'s>(&self, schema: &'s Value) -> Option<&'s Value>
    where
        'a: 's,
    {
        let mut at = schema;
        for _ in 0..MAX_DEPTH {
            let Some(target) = at.get("$ref") else { return Some(at) };
            at = self.root.pointer(target.as_str()?.strip_prefix('#')?)?;
        }
        None
    }
}

/// The types that a schema allows but null, and whether it allows null.
fn types(schema: &Value) -> (Vec<&str>, bool) {
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let null_in_enum = schema.get("enum").and_then(Value::as_array).is_some_and(|values| values.contains(&Value::Null));
    let nullable = types.contains(&"null") || types.is_empty() && (null_in_enum || schema.get("enum").is_none());
    (types.into_iter().filter(|name| *name != "null").collect(), nullable)
}

/// The texts that an `enum` lists; none if there is none, or if it lists other things too.
fn words(schema: &Value) -> Option<Vec<String>> {
    let values = schema.get("enum")?.as_array()?;
    let words = values.iter().filter(|value| !value.is_null()).map(|value| value.as_str().map(str::to_owned));
    words.collect()
}

fn is_value_name(text: &str) -> bool {
    names::is_name(text) && !matches!(text, "true" | "false" | "null")
}

/// Whether an integer fits into 32 bits as far as its schema says; one without bounds is taken to.
fn is_small(schema: &Value) -> bool {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let top = bound("maximum").or_else(|| bound("exclusiveMaximum")).unwrap_or(0.0);
    let bottom = bound("minimum").or_else(|| bound("exclusiveMinimum")).unwrap_or(0.0);
    top <= f64::from(i32::MAX) && bottom >= f64::from(i32::MIN)
}

/// Whether a schema takes members that it does not declare.
pub(crate) fn takes_more(schema: &Map<String, Value>) -> bool {
    schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape(schema: &Value) -> (Shape, bool) {
        let mut model = Model::new();
        Shapes::new(&json!({"$defs": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/b"}}})).shape(&mut model, "XY", schema)
    }

    #[test]
    fn schemas_have_their_types() {
        use Scalar::{Boolean, DateTime, Float, Int, Json, String};
        let scalar = |one| Shape::Scalar(one);
        for (schema, expected, nullable) in [
            (json!({"type": "string"}), scalar(String), false),
            (json!({"type": ["string", "null"]}), scalar(String), true),
            (json!({"type": "string", "format": "date-time"}), scalar(DateTime), false),
            (json!({"type": "integer"}), scalar(Int), false),
            (json!({"type": "integer", "maximum": 4_000_000_000_i64}), scalar(Float), false),
            (json!({"type": "number"}), scalar(Float), false),
            (json!({"type": "boolean"}), scalar(Boolean), false),
            (json!({"type": "object"}), scalar(Json), false),
            (json!({"type": ["string", "integer"]}), scalar(Json), true),
            (json!({"$ref": "#/$defs/a"}), scalar(String), false),
            (json!({"$ref": "#/$defs/b"}), scalar(Json), true),
            (json!({"$ref": "#/nowhere"}), scalar(Json), true),
            (json!({"enum": ["A", "B", null]}), Shape::Enum("XY".into()), true),
            (json!({"type": "string", "enum": ["in progress"]}), scalar(String), false),
            (json!({"enum": [1, 2]}), scalar(Json), true),
            (json!({"type": "array", "items": {"type": "integer"}}), Shape::List(Box::new(scalar(Int)), false), false),
            (json!({"type": "object", "properties": {"a": {"type": "string"}}}), Shape::Object("XY".into()), false),
        ] {
            assert_eq!(shape(&schema), (expected, nullable), "{schema}");
        }
    }

    #[test]
    fn a_list_in_a_patch_is_whole() {
        let list = Shape::List(Box::new(Shape::Object("A".into())), false);
        assert_eq!(list.ty(Side::Patch).to_string(), "[AInput!]");
        assert_eq!(list.ty(Side::Output).to_string(), "[A!]");
    }
}
