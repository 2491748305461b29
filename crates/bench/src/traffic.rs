//! What the generators send: reads with a partner's key, events one by one, events in batches.

use std::sync::Arc;

use crate::ledger::Ledger;
use crate::load::Traffic;
use crate::setup::Rig;
use crate::wire::{Reply, write_request};

/// `GET path` again and again, the bytes made once. Good is a 200 of the expected length.
#[derive(Debug)]
pub struct Reads {
    request: Vec<u8>,
    length: usize,
}

impl Reads {
    /// Reads of `path` that are answered with `length` bytes.
    pub fn new(path: &str, bearer: Option<&str>, length: usize) -> Self {
        let bearer = bearer.map(|key| format!("Bearer {key}"));
        let headers: Vec<_> = bearer.as_deref().map(|value| ("authorization", value)).into_iter().collect();
        let mut request = Vec::new();
        write_request(&mut request, "GET", path, &headers, None);
        Self { request, length }
    }
}

impl Traffic for Reads {
    fn request(&self, _index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answered(&self, _index: u64, _due: u64, _at: u64, reply: &Reply<'_>) -> bool {
        reply.status == 200 && reply.body.len() == self.length
    }
}

/// `POST path` with the same body again and again, the bytes made once. Good is a 200 that says what is expected.
#[derive(Debug)]
pub struct Asks {
    request: Vec<u8>,
    expected: &'static str,
}

impl Asks {
    /// Questions that are answered with something that contains `expected`.
    pub fn new(path: &str, headers: &[(&str, &str)], body: &serde_json::Value, expected: &'static str) -> Self {
        let mut request = Vec::new();
        write_request(&mut request, "POST", path, headers, Some(body.to_string().as_bytes()));
        Self { request, expected }
    }
}

impl Traffic for Asks {
    fn request(&self, _index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answered(&self, _index: u64, _due: u64, _at: u64, reply: &Reply<'_>) -> bool {
        reply.status == 200 && reply.body.windows(self.expected.len()).any(|part| part == self.expected.as_bytes())
    }
}

/// How to publish: with whose key, for which tenant, what.
#[derive(Clone, Debug)]
pub struct Publisher {
    bearer: String,
    tenant: String,
    event: &'static str,
}

impl Publisher {
    /// Publishes events of type `event` with the rig's service key for its tenant.
    pub fn new(rig: &Rig, event: &'static str) -> Self {
        Self { bearer: format!("Bearer {}", rig.service_key), tenant: rig.tenant.clone(), event }
    }

    /// Appends the request that publishes event `index` of `ledger`.
    pub fn one(&self, ledger: &Ledger, index: u64, out: &mut Vec<u8>) {
        let mut body = String::with_capacity(400);
        self.event(ledger, index, &mut body);
        self.post("/api/v1/events", &body, out);
    }

    /// Appends the request that publishes `count` events from `first` on.
    pub fn many(&self, ledger: &Ledger, first: u64, count: u64, out: &mut Vec<u8>) {
        let mut body = String::with_capacity(usize::try_from(count).unwrap_or(0) * 400);
        body.push_str("{\"events\":[");
        for index in first..first + count {
            if index > first {
                body.push(',');
            }
            self.event(ledger, index, &mut body);
        }
        body.push_str("]}");
        self.post("/api/v1/events/batch", &body, out);
    }

    fn post(&self, path: &str, body: &str, out: &mut Vec<u8>) {
        write_request(out, "POST", path, &[("authorization", &self.bearer), ("tradewind-tenant", &self.tenant)], Some(body.as_bytes()));
    }

    /// An event of some 330 bytes: about what a changed lead carries.
    fn event(&self, ledger: &Ledger, index: u64, out: &mut String) {
        use std::fmt::Write;
        let (prefix, event) = (ledger.prefix(), self.event);
        write!(
            out,
            "{{\"type\":\"{event}\",\"id\":\"{prefix}{index}\",\"data\":{{\"leadId\":\"lead-{index:08}\",\"status\":\"CONTACTED\",\"source\":\"WEBSITE\",\
             \"firstName\":\"Ada\",\"lastName\":\"Lovelace\",\"email\":\"lead{index}@example.com\",\"phone\":\"+1-555-0100\",\"insuranceType\":\"AUTO\",\
             \"notes\":\"Asked to be called back on a weekday before noon.\"}}}}"
        )
        .expect("writing to a String does not fail");
    }
}

/// Events one by one; an acceptance is entered in the books.
#[derive(Debug)]
pub struct Singles {
    /// Who publishes.
    pub publisher: Publisher,
    /// The books.
    pub ledger: Arc<Ledger>,
}

impl Traffic for Singles {
    fn request(&self, index: u64, out: &mut Vec<u8>) {
        self.publisher.one(&self.ledger, index, out);
    }

    fn answered(&self, index: u64, due: u64, at: u64, reply: &Reply<'_>) -> bool {
        let good = reply.status == 202;
        if good {
            self.ledger.accept(index, due, at);
        }
        good
    }
}

/// Events in batches of `size`; request `n` carries the events `n * size` and following, none beyond the books' end.
#[derive(Debug)]
pub struct Batches {
    /// Who publishes.
    pub publisher: Publisher,
    /// The books.
    pub ledger: Arc<Ledger>,
    /// Events in a batch, 1 to 1000.
    pub size: u64,
}

impl Batches {
    /// How many requests carry all events of the books.
    pub fn requests(&self) -> u64 {
        (self.ledger.size() as u64).div_ceil(self.size)
    }

    fn range(&self, index: u64) -> (u64, u64) {
        let first = index * self.size;
        (first, self.size.min((self.ledger.size() as u64).saturating_sub(first)))
    }
}

impl Traffic for Batches {
    fn request(&self, index: u64, out: &mut Vec<u8>) {
        let (first, count) = self.range(index);
        self.publisher.many(&self.ledger, first, count, out);
    }

    fn answered(&self, index: u64, due: u64, at: u64, reply: &Reply<'_>) -> bool {
        // One entry may be refused in a batch that is accepted; none of ours may be.
        let good = reply.status == 202 && !reply.body.windows(8).any(|bytes| bytes == b"\"error\":");
        if good {
            let (first, count) = self.range(index);
            (first..first + count).for_each(|event| self.ledger.accept(event, due, at));
        }
        good
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn body(request: &[u8]) -> Value {
        let head = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        serde_json::from_slice(&request[head + 4..]).unwrap()
    }

    #[test]
    fn bodies_are_json_and_batches_cover_the_books_once() {
        let publisher = Publisher { bearer: "Bearer k".into(), tenant: "ten_x".into(), event: "lead.created" };
        let ledger = Arc::new(Ledger::new("p-", 250));
        let mut out = Vec::new();
        publisher.one(&ledger, 7, &mut out);
        let event = body(&out);
        assert_eq!(
            (&event["id"], &event["type"], &event["data"]["leadId"]),
            (&"p-7".into(), &"lead.created".into(), &"lead-00000007".into())
        );

        let batches = Batches { publisher, ledger, size: 100 };
        assert_eq!(batches.requests(), 3);
        let mut ids = Vec::new();
        for index in 0..batches.requests() {
            let mut out = Vec::new();
            batches.request(index, &mut out);
            ids.extend(body(&out)["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(ids, (0..250).map(|index| format!("p-{index}")).collect::<Vec<_>>());
        let reply = |body| Reply { status: 202, content_type: String::new(), close: false, body };
        assert!(!batches.answered(0, 1, 1, &reply(b"{\"data\":[{\"error\":{}}]}")));
        assert!(batches.answered(2, 1, 1, &reply(b"{\"data\":[{\"id\":\"p-200\"}]}")));
        assert_eq!(batches.ledger.accepted(), 50);
    }
}
