//! What the catalogue shows of the events about connections to vendors.

use serde_json::json;

use crate::EventTypeView;
use crate::operational::{
    OAUTH_TOKEN_CONNECTED, OAUTH_TOKEN_DEGRADED, OAUTH_TOKEN_REAUTH_REQUIRED, OAUTH_TOKEN_RECOVERED, OAUTH_TOKEN_REVOKED,
};

/// None: it is not one of them.
pub(crate) fn view(name: &str) -> Option<EventTypeView> {
    let (description, status, reason) = match name {
        OAUTH_TOKEN_CONNECTED => ("A vendor was connected, or connected again", "active", None),
        OAUTH_TOKEN_DEGRADED => {
            ("A token at a vendor could not be renewed; it is tried again", "degraded", Some("the token endpoint answered 503"))
        }
        OAUTH_TOKEN_RECOVERED => ("A token at a vendor that could not be renewed was renewed", "active", None),
        OAUTH_TOKEN_REAUTH_REQUIRED => (
            "A grant at a vendor is over: somebody has to connect again, for a week by reconnectUrl",
            "reauth_required",
            Some("invalid_grant: expired access/refresh token (400)"),
        ),
        OAUTH_TOKEN_REVOKED => ("A vendor was disconnected", "revoked", Some("disconnected")),
        _ => return None,
    };
    let (text, maybe) = (json!({"type": "string"}), json!({"type": ["string", "null"]}));
    let properties = json!({
        "oauthTokenId": text, "provider": text, "userId": maybe, "account": maybe, "status": text, "reason": maybe, "reconnectUrl": maybe,
    });
    let required: Vec<&String> = properties.as_object()?.keys().collect();
    let link = (status == "reauth_required").then_some("https://api.example.com/oauth/reconnect/AQAAAAAAAAABx3Zp");
    let example = json!({
        "oauthTokenId": "otk_01k2x3v7m8e1r9q0s5t6w7y8za", "provider": "salesforce", "userId": "ada", "account": "00D5g000001AbCd:0055g00000AbCdE",
        "status": status, "reason": reason, "reconnectUrl": link,
    });
    let schema = json!({"type": "object", "required": required, "properties": properties});
    Some(EventTypeView::of_ours(name, description, schema, example))
}
