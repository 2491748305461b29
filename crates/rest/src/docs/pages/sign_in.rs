//! Signing in to try requests: an authorization code with PKCE for a public client, by the page's own script, at the server that the page is of.

use super::Pages;
use web::html::escape;

/// Where the authorization server leads back to.
pub(super) const CALLBACK: &str = "/docs/signed-in";

/// The form that begins it. Without a client of the documentation's own, whoever develops an application signs in by that one.
pub(super) fn form(pages: &Pages<'_>) -> String {
    let callback = format!("{}{CALLBACK}", pages.config.public_url);
    let (name, sign_in) = (pages.say("Client id"), pages.say("Sign in"));
    let client = match &pages.config.client {
        Some(client) => format!("<input name=\"client\" type=\"hidden\" value=\"{}\">\n", escape(client)),
        None => format!(
            "<label>{name}<input name=\"client\" autocomplete=\"off\" spellcheck=\"false\" dir=\"ltr\" placeholder=\"cli_…\" required></label>\n\
             <p>{hint}: <code dir=\"ltr\">{}</code></p>\n",
            escape(&callback),
            hint = pages.say("A public OAuth client with this redirect address"),
        ),
    };
    format!(
        "<form id=\"sign-in\" data-callback=\"{}\">\n<p>{}</p>\n{client}<button>{sign_in}</button>\n{}</form>\n",
        escape(&callback),
        pages.say("Or sign in, as people do for an application."),
        state(pages),
    )
}

/// The page to come back to.
pub(super) fn main(pages: &Pages<'_>) -> String {
    format!("<h1>{}</h1>\n{}", pages.say("Sign in"), state(pages))
}

/// What became of it, in the reader's language; what the server says of an error stands as it is.
fn state(pages: &Pages<'_>) -> String {
    format!(
        "<p role=\"status\" class=\"sign-in-state\" data-elsewhere=\"{}\" data-insecure=\"{}\" data-mismatch=\"{}\"></p>\n",
        pages.say("Signing in works at this server's own address:"),
        pages.say("Signing in needs https."),
        pages.say("This answer belongs to no sign-in of this tab. Begin again."),
    )
}
