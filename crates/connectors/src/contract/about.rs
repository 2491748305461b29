//! What the catalogue says of a connector.

use serde::{Deserialize, Serialize};

/// A connector, as the catalogue shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectorAbout)]
pub struct About {
    /// Its slug: `salesforce`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Where it stands in the catalogue.
    pub category: Category,
    /// How one signs in at the vendor.
    pub auth: Auth,
    /// The connector's own version, semantic.
    pub version: String,
    /// What can be synchronised.
    pub objects: Vec<ObjectAbout>,
}

/// Where a connector stands in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectorCategory)]
pub enum Category {
    /// Customers and deals.
    Crm,
    /// Money.
    Payment,
    /// Text messages.
    Sms,
    /// Mail.
    Email,
    /// Files.
    Storage,
    /// Numbers about use.
    Analytics,
    /// Chat.
    Chat,
    /// Whatever speaks HTTP.
    Generic,
}

/// How one signs in at the vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = ConnectorAuth)]
pub enum Auth {
    /// OAuth 2: the vault holds the tokens, under this provider.
    #[serde(rename = "oauth2")]
    OAuth2 {
        /// The vault's provider: `salesforce`.
        provider: String,
    },
    /// A fixed token in a header, sealed with the integration.
    ApiKey {
        /// The header: `Authorization`.
        header: String,
        /// What stands before the token: `Bearer `.
        prefix: String,
    },
    /// RFC 7617.
    Basic,
    /// Nothing.
    None,
}

/// A vendor's object, and what can be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectAbout {
    /// As the vendor names it: `Lead`, `contacts`.
    pub name: String,
    /// For people.
    pub label: String,
    /// Changes since a cursor can be asked for; else every run reads everything.
    pub incremental: bool,
    /// The vendor tells which records were deleted.
    pub delete_feed: bool,
    /// Records can be made, changed and deleted.
    pub writable: bool,
    /// A field whose values the vendor keeps unique, so that making a record twice is refused or updates the first: `email`.
    /// `None`: the engine looks a record up before it makes one.
    pub unique_field: Option<String>,
    /// For how long the vendor's searches and lists may not know what was just written, in seconds. 0: at once.
    pub lag_seconds: u32,
    /// Most items of one [`crate::Connector::write`].
    pub batch: u32,
}

/// A member of an integration's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectorSetting)]
pub struct Setting {
    /// Its name in `config`: `subdomain`.
    pub name: String,
    /// For people.
    pub label: String,
    /// One sentence.
    pub description: String,
    /// There is no connection without it.
    pub required: bool,
    /// What holds without it.
    pub default: Option<String>,
    /// The values that it may have; empty: any text.
    pub options: Vec<String>,
}

/// What an account may ask of a vendor in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Which of the vendor's budgets: `burst`, `daily`; as in [`crate::BudgetNews`].
    pub window: &'static str,
    /// So much, in the units of [`crate::Call::cost`].
    pub limit: u64,
    /// In so many seconds.
    pub seconds: u32,
}
