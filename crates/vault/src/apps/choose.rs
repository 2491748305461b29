//! Which app a connection is made with. The operator's secret goes to the vendor's own addresses only, or to where the operator says: who wants
//! other addresses brings an app of their own.

use kernel::{Error, Result, Scope, Secret};
use store::Tx;

use super::sql;
use crate::Vault;
use crate::exchange::App;
use crate::providers::{CUSTOM, Endpoints, Provider, ProviderDefinition, Settings};
use crate::tokens::{Row, Sealed};

/// What somebody says about the app and the vendor's addresses.
#[derive(Clone, Default)]
pub(crate) struct AppInput {
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) login_host: Option<String>,
    pub(crate) directory: Option<String>,
    pub(crate) definition: Option<ProviderDefinition>,
}

/// What follows.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// None: nobody has one.
    pub(crate) app: Option<App>,
    pub(crate) own_app: bool,
    pub(crate) settings: Settings,
    /// What the operator's app asks for.
    pub(crate) scopes: Option<Vec<String>>,
}

impl AppInput {
    /// What can be said without looking anything up. Errors: 422.
    pub(crate) fn check(&self, vault: &Vault, built_in: &'static Provider) -> Result<()> {
        let visible = |text: &String, most: usize| (1..=most).contains(&text.len()) && !text.chars().any(char::is_control);
        if self.client_id.as_ref().is_some_and(|text| !visible(text, 500)) {
            return Err(Error::field("/clientId", "must have 1 to 500 characters"));
        }
        if self.client_secret.as_ref().is_some_and(|text| !visible(text, 2000)) {
            return Err(Error::field("/clientSecret", "must have 1 to 2000 characters"));
        }
        if self.client_secret.is_some() && self.client_id.is_none() {
            return Err(Error::field("/clientId", "is required with clientSecret"));
        }
        if self.definition.is_some() && built_in.id != CUSTOM {
            return Err(Error::field("/definition", "is for the provider custom only"));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if self.directory.as_ref().is_some_and(|text| !(1..=100).contains(&text.len()) || text.starts_with('.') || !text.bytes().all(plain))
        {
            return Err(Error::field("/directory", "must be common, organizations, consumers, a domain or an id"));
        }
        if self.login_host.as_ref().is_some_and(|text| text.len() > 220 || text.chars().any(char::is_control)) {
            return Err(Error::field("/loginHost", "must be the name of a host: at most 200 characters"));
        }
        let url = |pointer: &str, text: &str| -> Result<()> {
            vault.outbound.verdict_on_syntax(text).map(drop).map_err(|refusal| refusal.into_error(pointer))
        };
        if let Some(base) = &self.base_url {
            url("/baseUrl", base)?;
        }
        if let Some(definition) = &self.definition {
            definition.check("/definition")?;
            url("/definition/authorizeUrl", &definition.authorize_url)?;
            url("/definition/tokenUrl", &definition.token_url)?;
            definition.revoke_url.as_deref().map_or(Ok(()), |text| url("/definition/revokeUrl", text))?;
            definition.api_base_url.as_deref().map_or(Ok(()), |text| url("/definition/apiBaseUrl", text))?;
        }
        Ok(())
    }

    /// The settings that it makes; the addresses are checked.
    pub(crate) fn settings(self, built_in: &'static Provider) -> Result<Settings> {
        let base_url = self.base_url.map(|base| base.trim_end_matches('/').to_owned());
        let settings = Settings { base_url, login_host: self.login_host, directory: self.directory, definition: self.definition };
        // What a host hands in of a vendor that nobody described is kept as it is, and cannot be renewed.
        if built_in.id != CUSTOM || settings.definition.is_some() {
            Endpoints::of(&settings.provider(built_in), &settings)?;
        }
        Ok(settings)
    }
}

impl Vault {
    /// Errors: 422.
    pub(crate) async fn choose(&self, built_in: &'static Provider, input: AppInput) -> Result<Choice> {
        input.check(self, built_in)?;
        if let Some(client_id) = input.client_id.clone() {
            let app = App { client_id, client_secret: input.client_secret.clone().map(Secret::new) };
            return Ok(Choice { app: Some(app), own_app: true, settings: input.settings(built_in)?, scopes: None });
        }
        for (member, is_given) in [("baseUrl", input.base_url.is_some()), ("definition", input.definition.is_some())] {
            if is_given {
                return Err(Error::field(format!("/{member}"), "needs an app of your own: send clientId as well"));
            }
        }
        let id = built_in.id.clone();
        let found = self.store.read(Scope::system(crate::PART), move |tx| sql::get(tx, &id)).await?;
        let own = input.settings(built_in)?;
        let Some(row) = found else { return Ok(Choice { app: None, own_app: false, settings: own, scopes: None }) };
        let app = row.app();
        let settings = Settings {
            login_host: own.login_host.or(row.settings.login_host),
            directory: own.directory.or(row.settings.directory),
            ..row.settings
        };
        Ok(Choice { app: Some(app), own_app: false, settings, scopes: row.scopes })
    }
}

/// The app that a token belongs to, today; none: the operator has another one by now, or none.
pub(crate) fn app_of(tx: &mut Tx<'_>, row: &Row, sealed: &Sealed) -> Result<Option<App>> {
    match (&row.client_id, row.own_app) {
        (Some(client_id), true) => Ok(Some(sealed.app(client_id))),
        (client_id, _) => {
            let found = sql::get(tx, &row.provider)?;
            Ok(found.filter(|app| client_id.as_ref().is_none_or(|id| *id == app.client_id)).map(|app| app.app()))
        }
    }
}
