//! What a vendor's object is made of, as the vendor says today.

use serde::{Deserialize, Serialize};

/// An object's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectSchema {
    /// As the vendor names the object.
    pub object: String,
    /// In the vendor's order.
    pub fields: Vec<FieldAbout>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldAbout {
    /// By which it is read and written: `LastName`, a 40-digit hash.
    pub name: String,
    /// For people.
    pub label: String,
    /// What it holds.
    pub kind: FieldKind,
    /// A record cannot be made without it.
    pub required: bool,
    /// Only the vendor writes it.
    pub read_only: bool,
    /// The vendor keeps its values unique.
    pub unique: bool,
    /// A custom field of this account.
    pub custom: bool,
    /// The values that it may have; empty: any.
    pub options: Vec<String>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Text.
    Text,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A number.
    Number,
    /// An amount of money.
    Money,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// One of its options.
    Choice,
    /// Some of its options.
    Choices,
    /// Another record's id.
    Reference,
    /// Anything else.
    Other,
}
