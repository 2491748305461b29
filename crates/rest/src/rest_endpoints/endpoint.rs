//! An endpoint as it is made, kept and shown.

use std::collections::BTreeMap;

use kernel::{RestEndpointId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An HTTP method that an endpoint may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RestMethod {
    /// Reads. Answers HEAD too.
    #[serde(alias = "get")]
    Get,
    /// Creates.
    #[serde(alias = "post")]
    Post,
    /// Changes.
    #[serde(alias = "put")]
    Put,
    /// Changes.
    #[serde(alias = "patch")]
    Patch,
    /// Deletes.
    #[serde(alias = "delete")]
    Delete,
}

impl RestMethod {
    /// As it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a request has a body that the operation reads.
    pub(super) fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

/// What an endpoint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RestOperationType {
    /// Many records; by GET.
    List,
    /// One record; by GET, with `{id}` in the path.
    Get,
    /// A new record; by POST.
    Create,
    /// A changed record: what is sent is merged into it (RFC 7396); by PUT or PATCH, with `{id}` in the path.
    Update,
    /// A record less; by DELETE, with `{id}` in the path.
    Delete,
}

impl RestOperationType {
    /// Its name, as in a body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The methods that it is served by.
    pub(super) fn methods(self) -> &'static [RestMethod] {
        match self {
            Self::List | Self::Get => &[RestMethod::Get],
            Self::Create => &[RestMethod::Post],
            Self::Update => &[RestMethod::Put, RestMethod::Patch],
            Self::Delete => &[RestMethod::Delete],
        }
    }

    /// Whether it is about one record, which the path names by `{id}`.
    pub(super) fn is_of_one(self) -> bool {
        matches!(self, Self::Get | Self::Update | Self::Delete)
    }
}

/// An operation on a resource type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestOperation {
    /// What it does.
    #[serde(rename = "type")]
    pub kind: RestOperationType,
    /// The resource type, by its singular name: `ticket`.
    pub resource: String,
    /// List: query parameters that are always as they are here, whatever the caller sends: `{"status": "open", "sort": "-createdAt"}`.
    /// Get: `{"fields": "title,status"}` alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
}

/// What an endpoint is made of.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestEndpointInput {
    /// Below `/api/v1/x/`: `open-tickets`, `desk/tickets/{id}`. At most 200 characters and 10 segments.
    pub path: String,
    /// The method.
    pub method: RestMethod,
    /// The blueprint's scopes that a caller must hold, all of them. None: any valid credential of the tenant.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// JSON Schema (2020-12) of the request: of the body, or for GET and DELETE of the query parameters as an object.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Whether it is served without a credential too, at `/public/<tenantSlug>/<path>`.
    #[serde(default)]
    pub public: bool,
    /// One line about it, for the documentation.
    #[serde(default)]
    pub summary: Option<String>,
    /// What it does.
    pub operation: RestOperation,
}

/// An endpoint that a tenant declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestEndpoint {
    /// Its id.
    pub id: RestEndpointId,
    /// As it was given.
    pub path: String,
    /// The method.
    pub method: RestMethod,
    /// The scopes that a caller must hold.
    pub scopes: Vec<String>,
    /// JSON Schema of the request.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Whether it is served without a credential too.
    pub public: bool,
    /// One line about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it does.
    pub operation: RestOperation,
    /// The path at which it is served to the tenant's credentials.
    pub url: String,
    /// The path at which it is served to everybody, if it is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is kept as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Definition {
    pub(super) path: String,
    pub(super) scopes: Vec<String>,
    pub(super) schema: Option<Value>,
    pub(super) public: bool,
    pub(super) summary: Option<String>,
    pub(super) operation: RestOperation,
}

/// A row of `rest_endpoints`.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: RestEndpointId,
    pub(super) method: RestMethod,
    pub(super) definition: Definition,
    pub(super) created_at: Timestamp,
}

impl Row {
    /// The path without a slash in front.
    pub(super) fn path(&self) -> &str {
        self.definition.path.trim_start_matches('/')
    }

    /// As it is shown; `slug` is its tenant's.
    pub(super) fn view(self, slug: &str) -> RestEndpoint {
        let (url, public_url) = (format!("{}{}", super::OWN, self.path()), format!("{}{slug}/{}", super::PUBLIC, self.path()));
        let Definition { path, scopes, schema, public, summary, operation } = self.definition;
        let public_url = public.then_some(public_url);
        RestEndpoint {
            id: self.id,
            path,
            method: self.method,
            scopes,
            schema,
            public,
            summary,
            operation,
            url,
            public_url,
            created_at: self.created_at,
        }
    }
}
