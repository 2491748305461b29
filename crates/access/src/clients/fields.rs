//! What callers may set on a client, and its rules.

use blueprint::Blueprint;
use kernel::text::{self, MAX_NAME, MAX_TEXT};
use kernel::{Caller, Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ClientStatus;
use crate::{LimitOverride, MonthlyQuota, rules, scopes};

/// A client as POST and PUT take it.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientInput {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// For service keys: the tenant acted on (`ten_…` or `ext:…`).
    pub tenant_id: Option<String>,
    /// The host's id for it. PUT: absent keeps it.
    pub external_id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where an authorization may be sent.
    pub redirect_uris: Option<Vec<String>>,
    /// Its website.
    pub website: Option<String>,
    /// Its logo.
    pub logo_url: Option<String>,
    /// Whom to write to.
    pub contact_email: Option<String>,
    /// Default: active. PUT: absent keeps it.
    pub status: Option<ClientStatus>,
    /// Default: the blueprint's default tier.
    pub rate_limit_tier: Option<String>,
    /// Limits of its keys in place of the tier's; by service key. PUT: absent keeps them.
    #[schema(value_type = Option<LimitOverride>)]
    pub rate_limit_override: Option<Value>,
    /// What all its keys together may use up in a month, in place of the tier's quota; by service key. PUT: absent keeps it.
    pub monthly_quota: Option<MonthlyQuota>,
    /// Makes a subscription to all events that its scopes allow.
    pub webhook_url: Option<String>,
    /// What it may do. Absent: all scopes of the product; empty: none.
    pub scopes: Option<Vec<String>>,
    /// The host's own data.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
    /// Origins whose pages may call with its keys.
    pub allowed_origins: Option<Vec<String>>,
    /// Whether its keys need a second secret. Default: the blueprint's. PUT: absent keeps it.
    pub dual_auth: Option<bool>,
    /// Whether it can keep a secret. Default: true. PUT: absent keeps it.
    pub confidential: Option<bool>,
}

/// The same, as stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fields {
    pub(crate) external_id: Option<String>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) website: Option<String>,
    pub(crate) logo_url: Option<String>,
    pub(crate) contact_email: Option<String>,
    pub(crate) status: ClientStatus,
    pub(crate) rate_limit_tier: Option<String>,
    pub(crate) limits: Option<LimitOverride>,
    pub(crate) quota: Option<MonthlyQuota>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) dual_auth: bool,
    pub(crate) confidential: bool,
}

impl Fields {
    /// Of a body. `present` is what PUT replaces: identity and state that the body does not name stay. Error: 422 `validation_failed`.
    pub(crate) fn of(input: ClientInput, present: Option<&Self>, blueprint: &Blueprint) -> Result<Self> {
        let limits = input.rate_limit_override.as_ref().filter(|value| !value.is_null());
        let limits = limits.map(|value| LimitOverride::parse("/rateLimitOverride", value)).transpose()?;
        Ok(Self {
            external_id: input.external_id.or_else(|| present.and_then(|p| p.external_id.clone())),
            name: input.name,
            description: input.description,
            redirect_uris: input.redirect_uris.unwrap_or_default(),
            website: input.website,
            logo_url: input.logo_url,
            contact_email: input.contact_email,
            status: input.status.or(present.map(|p| p.status)).unwrap_or_default(),
            rate_limit_tier: input.rate_limit_tier,
            limits: limits.or_else(|| present.and_then(|p| p.limits.clone())),
            quota: input.monthly_quota.or(present.and_then(|p| p.quota)),
            webhook_url: input.webhook_url,
            scopes: input.scopes,
            metadata: input.metadata.unwrap_or_default(),
            allowed_origins: input.allowed_origins.unwrap_or_default(),
            dual_auth: input.dual_auth.or(present.map(|p| p.dual_auth)).unwrap_or(blueprint.keys.dual_auth),
            confidential: input.confidential.or(present.map(|p| p.confidential)).unwrap_or(true),
        })
    }

    /// The rules of every field, and what the caller may grant. `present`: the client as it was.
    ///
    /// Errors: 422 `validation_failed`, `unknown_scope`, `scope_exceeds_client`, 403 `operator_only`.
    pub(crate) fn check(&self, caller: &Caller, present: Option<&Self>, blueprint: &Blueprint) -> Result<()> {
        self.check_texts()?;
        if let Some(tier) = &self.rate_limit_tier
            && blueprint.tier(tier).is_none()
        {
            let known: Vec<&str> = blueprint.tiers.iter().map(|tier| tier.name.as_str()).collect();
            return Err(Error::field("/rateLimitTier", format!("must be one of {}", known.join(", "))));
        }
        scopes::check_names(blueprint, self.scopes.as_deref().unwrap_or_default())?;
        scopes::within_caller(caller, &scopes::of_client(blueprint, self.scopes.as_deref()))?;
        self.check_tier_choice(caller, present, blueprint)
    }

    fn check_texts(&self) -> Result<()> {
        text::line("/name", &self.name, 1, MAX_NAME)?;
        if let Some(external) = &self.external_id {
            text::external_id(external)?;
        }
        if let Some(description) = &self.description {
            text::prose("/description", description, MAX_TEXT)?;
        }
        rules::each("/redirectUris", &self.redirect_uris, rules::redirect_uri)?;
        for (pointer, address) in [("/website", &self.website), ("/logoUrl", &self.logo_url), ("/webhookUrl", &self.webhook_url)] {
            address.as_ref().map_or(Ok(()), |address| rules::web_url(pointer, address))?;
        }
        self.quota.map_or(Ok(()), |quota| quota.check("/monthlyQuota"))?;
        if let Some(email) = &self.contact_email {
            rules::email("/contactEmail", email)?;
        }
        rules::object("/metadata", &self.metadata)?;
        rules::each("/allowedOrigins", &self.allowed_origins, rules::origin)
    }

    /// A partner's own credential may not choose a tier: that would be granting itself other limits.
    fn check_tier_choice(&self, caller: &Caller, present: Option<&Self>, blueprint: &Blueprint) -> Result<()> {
        let tier = |tier: Option<&String>| tier.cloned().unwrap_or_else(|| blueprint.default_tier.clone());
        let before = tier(present.and_then(|p| p.rate_limit_tier.as_ref()));
        if caller.is_bound_by_scopes() && tier(self.rate_limit_tier.as_ref()) != before {
            return Err(Error::forbidden("operator_only", "Only a service key may choose the rateLimitTier.")
                .at("/rateLimitTier", "is not yours to choose"));
        }
        let changes = [
            ("rateLimitOverride", self.limits != present.and_then(|p| p.limits.clone())),
            ("monthlyQuota", self.quota != present.and_then(|p| p.quota)),
        ];
        if let Some((name, _)) = changes.iter().find(|(_, changed)| caller.is_bound_by_scopes() && *changed) {
            return Err(Error::forbidden("operator_only", format!("Only a service key may set a client's {name}."))
                .at(format!("/{name}"), "is not yours to choose"));
        }
        Ok(())
    }
}
