//! The HTTP surface.

use std::sync::Arc;

use http::Method;
use kernel::Permission;
use web::{Access, Api, Endpoint, Parameter};

use crate::Vault;
use crate::apps::{self, OauthApp, OauthProvider, OauthProviders};
use crate::connections::{self, MAX_TOLD, NewOauthConnection, OauthConnection};
use crate::tokens::{self, NewOauthToken, OauthToken, OauthTokenUse, Reconnect};

const PROVIDERS: &str = "/api/v1/oauth-providers";
const PROVIDER: &str = "/api/v1/oauth-providers/{provider}";
const CONNECTIONS: &str = "/api/v1/oauth-connections";
const CONNECTION: &str = "/api/v1/oauth-connections/{id}";
const TOKENS: &str = "/api/v1/oauth-tokens";
const TOKEN: &str = "/api/v1/oauth-tokens/{id}";
const CALLBACK: &str = "/oauth/callback";
const REOPEN: &str = "/oauth/reconnect/{link}";

fn reading(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Token vault").needs(Access::Permission(Permission::IntegrationsRead))
}

fn writing(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Token vault").needs(Access::Permission(Permission::IntegrationsWrite))
}

impl Vault {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        self.provider_routes().merge(self.connection_routes()).merge(self.token_routes()).merge(self.browser_routes())
    }

    fn provider_routes(self: &Arc<Self>) -> Api {
        let operating = |endpoint: Endpoint| endpoint.tag("Token vault").needs(Access::Operator);
        let list = reading(Endpoint::get(PROVIDERS, "oauth_providers.list"))
            .summary("List the vendors that can be connected")
            .answers::<OauthProviders>(200);
        let get = reading(Endpoint::get(PROVIDER, "oauth_providers.get")).summary("Get one of them").answers::<OauthProvider>(200);
        let put = operating(Endpoint::put(PROVIDER, "oauth_providers.put"))
            .summary("Set the operator's app at a vendor")
            .body::<OauthApp>()
            .answers::<OauthProvider>(200);
        let delete = operating(Endpoint::delete(PROVIDER, "oauth_providers.delete")).summary("Forget the operator's app").answers_nothing();
        Api::new()
            .route(list, apps::list, Arc::clone(self))
            .route(get, apps::get, Arc::clone(self))
            .route(put, apps::put, Arc::clone(self))
            .route(delete, apps::delete, Arc::clone(self))
    }

    fn connection_routes(self: &Arc<Self>) -> Api {
        let create = writing(Endpoint::post(CONNECTIONS, "oauth_connections.create"))
            .summary("Begin to connect a vendor: where to send the person")
            .body::<NewOauthConnection>()
            .answers::<OauthConnection>(201);
        let get = reading(Endpoint::get(CONNECTION, "oauth_connections.get"))
            .summary("See how far a connection is; kept for a day")
            .answers::<OauthConnection>(200);
        Api::new().route(create, connections::create, Arc::clone(self)).route(get, connections::get, Arc::clone(self))
    }

    fn token_routes(self: &Arc<Self>) -> Api {
        let create = writing(Endpoint::post(TOKENS, "oauth_tokens.create"))
            .summary("Store a token that the host has already")
            .body::<NewOauthToken>()
            .answers::<OauthToken>(201);
        let list = reading(Endpoint::get(TOKENS, "oauth_tokens.list"))
            .summary("List the tokens that are held, the newest first")
            .query(&[
                ("provider", "Only this vendor's"),
                ("userId", "Only this person's"),
                (
                    "status",
                    "Only those that are so: active, degraded, reauth_required, or revoked, which is shown only when it is asked for",
                ),
            ])
            .paged()
            .answers_page::<OauthToken>();
        let get = reading(Endpoint::get(TOKEN, "oauth_tokens.get")).summary("See how a token is").answers::<OauthToken>(200);
        let delete = writing(Endpoint::delete(TOKEN, "oauth_tokens.delete"))
            .summary("Disconnect: the vendor is asked to end the grant")
            .answers_nothing();
        let refresh = writing(Endpoint::post(format!("{TOKEN}/refresh"), "oauth_tokens.refresh"))
            .summary("Renew a token now")
            .fails(&[409, 503])
            .answers::<OauthToken>(200);
        let reconnect = writing(Endpoint::post(format!("{TOKEN}/reconnect"), "oauth_tokens.reconnect"))
            .summary("Begin to connect again: where to send the person, and a link for an e-mail")
            .answers::<Reconnect>(200);
        let uses = reading(Endpoint::get(format!("{TOKEN}/uses"), "oauth_tokens.uses"))
            .summary("See who used a token, hour by hour")
            .paged()
            .answers_page::<OauthTokenUse>();
        Api::new()
            .route(create, tokens::create, Arc::clone(self))
            .route(list, tokens::list, Arc::clone(self))
            .route(get, tokens::get, Arc::clone(self))
            .route(delete, tokens::delete, Arc::clone(self))
            .route(refresh, tokens::refresh, Arc::clone(self))
            .route(reconnect, tokens::reconnect, Arc::clone(self))
            .route(uses, tokens::uses, Arc::clone(self))
    }

    /// Without a credential: what the vendor brings back is the authority, together with the browser's cookie.
    fn browser_routes(self: &Arc<Self>) -> Api {
        let open = |endpoint: Endpoint| endpoint.tag("Token vault").needs(Access::Public).idempotent(false);
        let callback = open(Endpoint::get(CALLBACK, "oauth_connections.callback"))
            .summary("Where vendors send people back to")
            .parameter(Parameter::new("code", "What is exchanged for tokens"))
            .parameter(Parameter::new("state", "Which connection it is about"))
            .parameter(Parameter::new("error", "Why there is no code"))
            .describe("Vendors add members of their own, which are ignored but for those that the vault knows.")
            .answers_media(200, "text/html")
            .answers_empty(303)
            .answers_media(400, "text/html")
            .answers_media(403, "text/html")
            .answers_media(404, "text/html")
            .answers_media(409, "text/html")
            .answers_media(422, "text/html")
            .answers_media(502, "text/html")
            .answers_media(503, "text/html")
            .fails(&[400]);
        let uninstalled = open(Endpoint::new(Method::DELETE, CALLBACK, "oauth_connections.uninstalled"))
            .summary("Where Pipedrive tells that a person removed the app")
            .body_limit(MAX_TOLD)
            .fails(&[400, 401])
            .answers_nothing();
        let reopen = open(Endpoint::get(REOPEN, "oauth_connections.reopen"))
            .summary("A reconnect link: sends the person to the vendor")
            .answers_empty(303)
            .answers_media(404, "text/html");
        Api::new()
            .route(callback, connections::callback, Arc::clone(self))
            .route(uninstalled, connections::uninstalled, Arc::clone(self))
            .route(reopen, connections::reopen, Arc::clone(self))
    }
}
