//! The verdict about addresses of services that speak HTTP.

use kernel::Result;
use web::outbound::Client;

/// The verdict about a service's URL. Error: 422 at `field`.
pub(crate) async fn check_url(client: &Client, url: &str, field: &str) -> Result<()> {
    match client.verdict(url).await {
        Ok(_) => Ok(()),
        // It is judged again before each connection.
        Err(refusal) if refusal.is_unresolvable() => Ok(()),
        Err(refusal) => Err(refusal.into_error(&format!("/{field}"))),
    }
}
