//! `events.list`.

use std::collections::HashSet;

use events::EventFilter;
use kernel::{Caller, Cursor, PageRequest};

use crate::bed::{Bed, input, lead};

testkit::engines! {
    /// By cursor, every event once, the newest first, though events are added meanwhile.
    async fn pages_are_stable_under_inserts(bed: Bed) {
        let mut expected = HashSet::new();
        for _ in 0..25 {
            expected.insert(bed.events.publish(&bed.caller(), lead(None)).await.unwrap().id);
        }
        let (mut seen, mut cursor, mut last) = (Vec::new(), None, i64::MAX);
        loop {
            let page = PageRequest { limit: 10, cursor, ..PageRequest::default() };
            let answer = bed.events.list(&bed.caller(), EventFilter::default(), page).await.unwrap();
            for event in answer.data {
                assert!(event.created_at.millis() <= last);
                last = event.created_at.millis();
                seen.push(event.id);
            }
            bed.events.publish(&bed.caller(), lead(None)).await.unwrap();
            match answer.pagination.next_cursor {
                Some(next) => cursor = Some(Cursor::decode(&next).unwrap()),
                None => break,
            }
        }
        assert_eq!(seen.len(), 25);
        assert_eq!(seen.into_iter().collect::<HashSet<_>>(), expected);
        let other = Caller::system("test", Some(bed.ambient.id()));
        assert!(bed.events.list(&other, EventFilter::default(), PageRequest::default()).await.unwrap().data.is_empty());
    }

    /// Filters by type and by time of acceptance.
    async fn filters(bed: Bed) {
        bed.events.publish(&bed.caller(), lead(Some("a"))).await.unwrap();
        bed.events.publish(&bed.caller(), input(r#"{"type":"lead.updated","id":"b","data":{"leadId":"1"}}"#)).await.unwrap();
        let at = bed.events.get(&bed.caller(), "b".parse().unwrap()).await.unwrap().created_at;
        let ids = async |filter| {
            let page = bed.events.list(&bed.caller(), filter, PageRequest::default()).await.unwrap();
            page.data.iter().map(|e| e.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids(EventFilter { event_type: Some("lead.updated".into()), ..EventFilter::default() }).await, ["b"]);
        let after = at.plus(std::time::Duration::from_millis(1));
        assert!(ids(EventFilter { from: Some(after), ..EventFilter::default() }).await.is_empty());
        assert_eq!(ids(EventFilter { to: Some(after), ..EventFilter::default() }).await, ["b", "a"]);
        let error = bed.events.list(&bed.caller(), EventFilter::default(), PageRequest { page: Some(2), ..PageRequest::default() }).await;
        assert_eq!(error.unwrap_err().fields()[0].pointer, "/page");
    }
}
