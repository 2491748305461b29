//! The token request (RFC 6749 §4.1.3, §6) with PKCE (RFC 7636 §4.6) and rotation (RFC 9700 §4.14.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Ambient;
use sha2::{Digest as _, Sha256};

use super::{Fault, Grants, Issued};
use crate::stand::Form;

impl Grants {
    /// Tokens for a code, a refresh token, or the app itself (`client_credentials`). The app's proof may stand in the form or be given
    /// as `basic`.
    ///
    /// Errors: as [`Fault`] says.
    pub fn token(&mut self, form: &Form, basic: Option<(String, String)>, ambient: &Ambient) -> Result<Issued, Fault> {
        let (id, secret) = basic.unwrap_or_else(|| (form.text("client_id").to_owned(), form.text("client_secret").to_owned()));
        let scopes = match self.app(&id) {
            Some(app) if app.client_secret == secret => app.scopes.clone(),
            _ => return Err(Fault::Client),
        };
        match form.text("grant_type") {
            "authorization_code" => self.exchange(&id, form, ambient),
            "refresh_token" => self.renew(&id, form.text("refresh_token"), ambient),
            "client_credentials" => {
                let grant = self.grant(id, scopes, false);
                Ok(self.access_for(grant, ambient))
            }
            _ => Err(Fault::GrantType),
        }
    }

    fn exchange(&mut self, client_id: &str, form: &Form, ambient: &Ambient) -> Result<Issued, Fault> {
        let code = self.codes.remove(form.text("code")).ok_or(Fault::Grant)?;
        if self.grants[code.grant].client_id != client_id || ambient.now().millis() >= code.expires_at {
            return Err(Fault::Grant);
        }
        if form.text("redirect_uri") != code.redirect_uri {
            return Err(Fault::RedirectUri);
        }
        if let Some(challenge) = code.challenge {
            let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(form.text("code_verifier").as_bytes()));
            if hashed != challenge {
                return Err(Fault::Verifier);
            }
        }
        Ok(self.tokens(code.grant, ambient))
    }

    fn renew(&mut self, client_id: &str, token: &str, ambient: &Ambient) -> Result<Issued, Fault> {
        let now = ambient.now().millis();
        let refresh = self.refresh.get(token).cloned().ok_or(Fault::Grant)?;
        if self.grants[refresh.grant].client_id != client_id {
            return Err(Fault::Grant);
        }
        if !refresh.is_current {
            // Somebody uses an old one: it may have been stolen, so nothing of this grant is good any more.
            self.grants[refresh.grant].is_dead = true;
            return Err(Fault::Grant);
        }
        self.check_refresh(token, now).ok_or(Fault::Grant)?;
        self.throttle(refresh.grant, now)?;
        if self.policy.rotates {
            self.retire(token);
            return Ok(self.tokens(refresh.grant, ambient));
        }
        if let Some(kept) = self.refresh.get_mut(token) {
            kept.used_at = now;
        }
        Ok(self.access_for(refresh.grant, ambient))
    }

    fn retire(&mut self, token: &str) {
        if let Some(old) = self.refresh.get_mut(token) {
            old.is_current = false;
        }
    }

    fn throttle(&mut self, grant: usize, now: i64) -> Result<(), Fault> {
        let Some((max, span_ms)) = self.policy.refreshes else { return Ok(()) };
        let refreshed = &mut self.grants[grant].refreshed;
        refreshed.retain(|at| now - at < span_ms);
        if refreshed.len() >= max {
            return Err(Fault::TooMany);
        }
        refreshed.push(now);
        Ok(())
    }
}
