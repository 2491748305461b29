//! The device asks whether somebody has answered (RFC 8628 §3.4, §3.5).

use std::sync::Arc;

use access::access_tokens::{Handle, ReadHandle};
use kernel::{Error, Kind, Result};
use store::Tx;

use super::{Status, sql};
use crate::clients::AuthMethod;
use crate::errors::{access_denied, invalid_grant};
use crate::grants::NewGrant;
use crate::tokens::issue::Subject;
use crate::tokens::{TokenAnswer, TokenRequest};
use crate::{Oauth, resources, system};

/// By how much the interval grows for a device that asks too often.
const SLOWER_MS: i64 = 5000;

enum Outcome {
    Done(Box<TokenAnswer>),
    /// What was written about the request stays written.
    Not(Error),
}

impl Oauth {
    pub(crate) async fn redeem_device(self: &Arc<Self>, request: TokenRequest) -> Result<TokenAnswer> {
        let shown = self.access.read_handle(Handle::DeviceCode, request.form.need("device_code")?).ok_or_else(refused)?;
        let oauth = Arc::clone(self);
        match self.store.write(system(), move |tx| oauth.poll(tx, &request, &shown)).await? {
            Outcome::Done(answer) => Ok(*answer),
            Outcome::Not(error) => Err(error),
        }
    }

    fn poll(&self, tx: &mut Tx<'_>, request: &TokenRequest, shown: &ReadHandle) -> Result<Outcome> {
        let now = tx.now();
        let found = sql::shown(tx, shown)?.filter(|waiting| waiting.client == request.client.app.id);
        let waiting = found.ok_or_else(refused)?;
        if waiting.expires_at <= now {
            return Err(say("expired_token", "The device code is over. Begin again."));
        }
        if waiting.status == Status::Denied {
            return Err(access_denied("The person said no."));
        }
        let until = waiting.polled_at.map(|at| at.millis().saturating_add(waiting.interval_ms));
        if waiting.status == Status::Pending && until.is_some_and(|until| now.millis() < until) {
            sql::polled(tx, &waiting.key_id, waiting.interval_ms + SLOWER_MS)?;
            return Ok(Outcome::Not(say("slow_down", "The device asks too often. Wait five seconds longer between two requests.")));
        }
        if waiting.status == Status::Pending {
            sql::polled(tx, &waiting.key_id, waiting.interval_ms)?;
            return Ok(Outcome::Not(say("authorization_pending", "Nobody has answered yet.")));
        }
        let resource = resources::resolve(&self.config.issuer, request.form.all("resource"))?;
        let resource = resources::narrow(waiting.resource.as_deref(), resource)?;
        // Of many requests at once one takes it out.
        let answer = sql::take(tx, &waiting.key_id)?.ok_or_else(refused)?;
        let is_public = request.client.proves_by(AuthMethod::None);
        let (refresh_token, expires_at) = self.begin_grant(
            tx,
            &NewGrant {
                id: answer.grant,
                client: &request.client,
                tenant: answer.tenant,
                user: answer.user,
                scope: &answer.granted,
                resource: waiting.resource.as_deref(),
                jkt: request.jkt.as_deref().filter(|_| is_public),
                sign_in: &answer.sign_in,
            },
        )?;
        let subject = Subject {
            client: Arc::clone(&request.client),
            tenant: answer.tenant,
            user: Some(answer.user),
            grant: Some(answer.grant),
            scope: answer.granted,
            resource,
            jkt: request.jkt.clone(),
            actor: None,
            sign_in: Some(answer.sign_in),
            refresh_token,
        };
        Ok(Outcome::Done(Box::new(self.issue_until(tx, subject, Some(expires_at))?)))
    }
}

fn say(code: &'static str, detail: &'static str) -> Error {
    Error::new(Kind::Malformed, code, detail)
}

fn refused() -> Error {
    invalid_grant("The device code is not good: unknown, redeemed, or another client's.")
}
