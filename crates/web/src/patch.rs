//! A field of a PATCH body: left alone, emptied, or set.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A nullable field of a PATCH body. Declare it with `#[serde(default)]`, and with `skip_serializing_if = "Patch::is_absent"` where it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field is not in the body: keep what there is.
    #[default]
    Absent,
    /// `null`: empty it.
    Null,
    /// Set it.
    Value(T),
}

impl<T> Patch<T> {
    /// Whether the field is not in the body.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// `None` to leave it alone, `Some(None)` to empty it, `Some(Some(value))` to set it.
    pub fn change(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }

    /// What the field is afterwards, if it was `present`.
    pub fn apply(self, present: Option<T>) -> Option<T> {
        self.change().unwrap_or(present)
    }

    /// By reference.
    pub fn as_ref(&self) -> Patch<&T> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(value),
        }
    }

    /// The same with the value changed or refused.
    pub fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(change(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

/// The trait that utoipa's derive asks of a generic type; `PartialSchema` follows from it.
impl<T: ComposeSchema> ComposeSchema for Patch<T> {
    fn compose(generics: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let value = generics.into_iter().next().unwrap_or_else(|| T::compose(Vec::new()));
        let null = ObjectBuilder::new().schema_type(Type::Null);
        OneOfBuilder::new().item(null).item(value).into()
    }
}

impl<T: ToSchema> ToSchema for Patch<T>
where
    Self: PartialSchema,
{
    fn name() -> std::borrow::Cow<'static, str> {
        "Patch".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::Patch;

    #[derive(serde::Deserialize)]
    struct Body {
        #[serde(default)]
        note: Patch<u8>,
    }

    #[test]
    fn tells_absent_from_null() {
        for (text, expected) in [("{}", Patch::Absent), (r#"{"note":null}"#, Patch::Null), (r#"{"note":3}"#, Patch::Value(3))] {
            assert_eq!(serde_json::from_str::<Body>(text).unwrap().note, expected, "{text}");
        }
        assert!(serde_json::from_str::<Body>(r#"{"note":"x"}"#).is_err());
        assert_eq!(Patch::Absent.apply(Some(1)), Some(1));
        assert_eq!(Patch::Null.apply(Some(1)), None);
        assert_eq!(Patch::Value(2).apply(Some(1)), Some(2));
    }
}
