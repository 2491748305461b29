//! A webhook's own sequence: for a receiver that saw a gap in `webhook-sequence` and fills it.

use kernel::{Caller, ClientId, DestinationId, Error, EventId, Permission, Result, TenantId};
use store::Tx;

use crate::poll::{PollQuery, Polled, PolledEvent};
use crate::{Events, get};

/// Knows which events were for which webhook. Webhooks belong to a feature above this one; the binary wires it in.
pub trait Sequence: Send + Sync {
    /// Numbers after `after` and their events, in order, at most `most`. `client`: whose webhook it must be, if a client asks.
    ///
    /// Errors: 404 for another's webhook, 409 `sequence_too_old` for a number so far back that it cannot be found.
    fn after(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        client: Option<ClientId>,
        webhook: DestinationId,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, EventId)>>;
}

impl Events {
    pub(crate) async fn poll_webhook(&self, caller: &Caller, webhook: DestinationId, query: &PollQuery, limit: u32) -> Result<Polled> {
        let scope = caller.allow(Permission::EventsRead)?;
        caller.require(Permission::WebhooksRead)?;
        let after = query.after_sequence.filter(|after| *after >= 0);
        let after = after.ok_or_else(|| Error::field("/afterSequence", "must be the last number that arrived, 0 or more"))?;
        if query.consumer.is_some() || query.cursor.is_some() {
            return Err(Error::field("/webhook", "goes with afterSequence, without consumer and cursor"));
        }
        let sequence = self.sequence.get().cloned().ok_or_else(|| Error::not_found("webhook"))?;
        let (tenant, client, most) = (scope.tenant(), caller.client(), limit as usize);
        let (data, has_more) = self
            .store
            .read(scope, move |tx| {
                let mut numbers = sequence.after(tx, tenant, client, webhook, after, most + 1)?;
                let has_more = numbers.len() > most;
                numbers.truncate(most);
                let mut data = Vec::with_capacity(numbers.len());
                for (number, id) in numbers {
                    // An event that retention has removed has no payload to fill the gap with.
                    let event = get::find(tx, tenant, &id)?;
                    data.extend(event.map(|event| PolledEvent { event, cursor: None, sequence: Some(number) }));
                }
                Ok((data, has_more))
            })
            .await?;
        let pagination = kernel::page::Pagination { limit, ..Default::default() };
        Ok(Polled { data, cursor: None, has_more, pagination })
    }
}
