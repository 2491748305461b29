//! Signed-in people, who show a session's cookie in place of a key. Who that is, `people` knows; it stands beside the gate, so they meet at
//! [`access::people::Sessions`].

use std::sync::Arc;

use access::Principal;
use access::people::{PersonRequest, Sessions};
use http::{Method, header};
use kernel::{Error, IdRef, Kind, Result, TenantId};

use crate::Gate;
use crate::admit::{Arrival, TENANT_HEADER};

impl Gate {
    /// Lets signed-in people in. Once, at wiring; a second call changes nothing.
    pub fn admit_people(&self, sessions: Arc<dyn Sessions>) {
        let _ = self.people.set(sessions);
    }

    /// The person whose session the request shows; none: it shows none, or a key, which goes first: no page of another origin can add one.
    pub(crate) async fn person(&self, arrival: &Arrival<'_>) -> Option<Result<Arc<Principal>>> {
        if arrival.headers.contains_key(header::AUTHORIZATION) {
            return None;
        }
        let people = self.people.get()?;
        let token = people.token(arrival.headers)?;
        let answer = self.ask(people.as_ref(), token, arrival).await;
        Some(answer.map_err(|error| if error.kind() == Kind::Unauthenticated { self.failed(arrival, error) } else { error }))
    }

    async fn ask(&self, people: &dyn Sessions, token: &str, arrival: &Arrival<'_>) -> Result<Arc<Principal>> {
        if let Some(ip) = arrival.ip {
            self.counters.strangers.wait(ip, arrival.now).await?;
        }
        let tenant = match arrival.headers.get(TENANT_HEADER) {
            None => None,
            Some(named) => {
                let no_such = || Error::not_found("tenant");
                let reference: IdRef<TenantId> = named.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(no_such)?;
                Some(self.access.tenant_ref(reference).await?)
            }
        };
        let is_safe = matches!(*arrival.method, Method::GET | Method::HEAD);
        people.person(PersonRequest { token, is_safe, csrf: people.csrf(arrival.headers), tenant }).await
    }
}
