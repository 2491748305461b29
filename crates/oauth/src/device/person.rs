//! The person who types a code, and decides.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{Caller, Credential, Error, Kind, Result, TenantId, Timestamp};
use serde_json::json;
use web::network;

use super::{Status, Waiting, over, sql, user_code};
use crate::clients::{AppCard, OAuthClient};
use crate::errors::access_denied;
use crate::grants::SignIn;
use crate::requests::{Approval, Signed};
use crate::scope::{self, ScopeLine};
use crate::{Oauth, system};

/// Codes that one network may try in a minute (RFC 8628 §5.1).
const TRIES: u32 = 10;

/// A request of a device, in what may be shown of it.
#[derive(Clone, Debug)]
pub struct DeviceRequest {
    /// Who asks.
    pub app: AppCard,
    /// What it asks for, in plain words.
    pub scopes: Vec<ScopeLine>,
    /// The only tenant whose people may allow this; none: any.
    pub only_tenant: Option<TenantId>,
    /// When it is over.
    pub expires_at: Timestamp,
}

impl Oauth {
    /// The request behind a code that somebody typed at `from`: for the page that asks whether this is the device before them (RFC 8628 §5.4).
    ///
    /// Errors: 404 for a code that is mistyped, over or answered; 429 `too_many_attempts`.
    pub async fn device_request(self: &Arc<Self>, typed: &str, from: Option<IpAddr>) -> Result<DeviceRequest> {
        let (waiting, client) = self.device_waiting(typed, from).await?;
        Ok(DeviceRequest {
            app: client.card(),
            scopes: scope::lines(&self.blueprint, &scope::split(&waiting.scope)),
            only_tenant: client.only_tenant(),
            expires_at: waiting.expires_at,
        })
    }

    /// Answers a request for the tenant that the caller acts for: allows it, or refuses it where there is no approval. A request is answered
    /// once.
    ///
    /// Errors: 404, 429 as above; 403 `people_only`, 400 `access_denied` when the person may not allow it, 422 `validation_failed` for a scope
    /// that was not asked for or is not the person's to allow.
    pub async fn answer_device(
        self: &Arc<Self>,
        caller: &Caller,
        signed: &Signed,
        typed: &str,
        from: Option<IpAddr>,
        approval: Option<Approval>,
    ) -> Result<()> {
        let Credential::User { user, .. } = *caller.credential() else {
            return Err(Error::forbidden("people_only", "Only a person who is signed in can answer for a device."));
        };
        let (waiting, client) = self.device_waiting(typed, from).await?;
        let key_id = waiting.key_id.clone();
        let Some(approval) = approval else {
            let done = self.store.write(system(), move |tx| sql::deny(tx, &key_id)).await?;
            return if done { Ok(()) } else { Err(over()) };
        };
        let tenant_scope = caller.tenant_scope()?;
        let tenant = tenant_scope.tenant();
        if client.only_tenant().is_some_and(|only| only != tenant) {
            return Err(access_denied("Only people of the application's own tenant may allow this."));
        }
        let (grantable, _) = scope::grantable(&self.blueprint, caller, &scope::split(&waiting.scope));
        let scopes = scope::choose(grantable, approval.scopes)?;
        let answer = sql::Answer {
            tenant,
            user,
            grant: self.ambient.id(),
            granted: scopes.join(" "),
            sign_in: SignIn { at: signed.at, methods: signed.methods.clone(), nonce: None },
        };
        let client = client.app.id;
        self.store
            .write(tenant_scope, move |tx| {
                if !sql::approve(tx, &key_id, &answer)? {
                    return Err(over());
                }
                let detail = json!({"client": client, "user": user, "scope": answer.granted, "by": "device_code"});
                tx.audit_with("grant.create", answer.grant, &detail)
            })
            .await
    }

    async fn device_waiting(self: &Arc<Self>, typed: &str, from: Option<IpAddr>) -> Result<(Waiting, Arc<OAuthClient>)> {
        let now = self.ambient.now();
        let from = from.map(network);
        if let Some(from) = &from {
            let too_many = |wait| {
                let text = "Too many codes were tried from your address. Wait a minute, and look at the device again.";
                Error::new(Kind::RateLimited, "too_many_attempts", text).retry_after(wait)
            };
            self.typed_codes.wait(from, TRIES, now).map_err(too_many)?;
        }
        let found = self.device_of(typed).await?.filter(|waiting| waiting.status == Status::Pending && waiting.expires_at > now);
        let client = match &found {
            Some(waiting) => self.client(waiting.client).await?.filter(|client| client.app.is_active),
            None => None,
        };
        match (found, client) {
            (Some(waiting), Some(client)) => Ok((waiting, client)),
            _ => {
                if let Some(from) = from {
                    self.typed_codes.count(from, now);
                }
                Err(over())
            }
        }
    }

    async fn device_of(&self, typed: &str) -> Result<Option<Waiting>> {
        let Some(letters) = user_code::read(typed) else { return Ok(None) };
        let hash = self.user_hash(&letters).await?;
        self.store.read(system(), move |tx| sql::typed(tx, &hash)).await
    }
}
