//! Lists: filters, search, order, pages, totals.

use kernel::{PageRequest, Result};
use records::{Filter, Operand, Query, RecordRef, Sort};
use serde_json::json;

use crate::bed::{Bed, members};

async fn emails(bed: &Bed, query: Query) -> Vec<String> {
    let page = bed.records.list(&bed.scope(), "lead", query).await.unwrap();
    page.data.iter().map(|record| record.document["email"].as_str().unwrap().to_owned()).collect()
}

fn filtered(filters: &[(&str, &str)]) -> Query {
    let one = |(name, value): &(&str, &str)| Filter::eq(*name, Operand::Text((*value).to_owned()));
    Query { filter: filters.iter().map(one).fold(Filter::default(), Filter::and), ..Query::default() }
}

fn searched(text: &str) -> Query {
    Query { search: Some(text.to_owned()), ..Query::default() }
}

fn sorted(field: &str, descending: bool) -> Query {
    Query { sort: Some(Sort { field: field.to_owned(), descending }), ..Query::default() }
}

/// Walks a list by its cursors; pages of two.
async fn walk(bed: &Bed, query: Query) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    let mut page = PageRequest { limit: 2, ..PageRequest::default() };
    loop {
        let part = bed.records.list(&bed.scope(), "lead", Query { page: page.clone(), ..query.clone() }).await?;
        seen.extend(part.data.iter().map(|record| record.document["email"].as_str().unwrap().to_owned()));
        let Some(next) = part.pagination.next_cursor else { return Ok(seen) };
        assert_eq!(part.data.len(), 2);
        page.cursor = Some(kernel::Cursor::decode(&next)?);
    }
}

testkit::engines! {
    /// Newest first, also within one millisecond; stable when a row is added on top.
    async fn newest_first(bed: Bed) {
        for i in 0..7 {
            bed.lead(&format!("{i}@example.com"), json!({})).await;
        }
        let all: Vec<String> = (0..7).rev().map(|i| format!("{i}@example.com")).collect();
        assert_eq!(emails(&bed, Query::default()).await, all);
        assert_eq!(walk(&bed, Query::default()).await.unwrap(), all);
        let first = Query { page: PageRequest { limit: 3, ..PageRequest::default() }, ..Query::default() };
        let part = bed.records.list(&bed.scope(), "lead", first).await.unwrap();
        bed.later();
        bed.lead("new@example.com", json!({})).await;
        let cursor = kernel::Cursor::decode(&part.pagination.next_cursor.unwrap()).unwrap();
        let rest = Query { page: PageRequest { limit: 3, cursor: Some(cursor), ..PageRequest::default() }, ..Query::default() };
        assert_eq!(emails(&bed, rest).await, all[3..6]);
    }

    /// Equality by the member's own type; several filters hold together; a changed value moves.
    async fn filters(bed: Bed) {
        let a = bed.lead("a@example.com", json!({"status": "HOT", "state": "BE"})).await;
        bed.lead("b@example.com", json!({"status": "HOT"})).await;
        bed.lead("c@example.com", json!({"status": "hot", "state": "BE"})).await;
        assert_eq!(emails(&bed, filtered(&[("status", "HOT")])).await, ["b@example.com", "a@example.com"]);
        assert_eq!(emails(&bed, filtered(&[("status", "HOT"), ("state", "BE")])).await, ["a@example.com"]);
        assert_eq!(walk(&bed, filtered(&[("state", "BE")])).await.unwrap(), ["c@example.com", "a@example.com"]);
        assert!(emails(&bed, filtered(&[("status", "")])).await.is_empty());
        let patch = members(json!({"status": "COLD", "state": null}));
        bed.records.update(&bed.scope(), "lead", RecordRef::Id(a.id), patch, None).await.unwrap();
        assert_eq!(emails(&bed, filtered(&[("status", "HOT")])).await, ["b@example.com"]);
        assert_eq!(emails(&bed, filtered(&[("status", "COLD")])).await, ["a@example.com"]);
        assert_eq!(emails(&bed, filtered(&[("state", "BE")])).await, ["c@example.com"]);
        let refused = bed.records.list(&bed.scope(), "lead", filtered(&[("notes", "x")])).await.unwrap_err();
        assert_eq!(refused.fields()[0].pointer, "/notes");
        assert!(bed.records.list(&bed.scope(), "lead", filtered(&[("status", "a\0")])).await.is_err());
    }

    /// Part of a searchable member, whatever the case; wildcards are plain characters.
    async fn searches(bed: Bed) {
        bed.lead("a@example.com", json!({"firstName": "Zoë", "lastName": "ÄRGER"})).await;
        bed.lead("b@example.com", json!({"firstName": "100%", "lastName": "x_y"})).await;
        bed.lead("c@example.com", json!({"firstName": "Max", "notes": "zoë"})).await;
        for (text, expected) in [
            ("ZOË", vec!["a@example.com"]),
            ("ärg", vec!["a@example.com"]),
            ("0%", vec!["b@example.com"]),
            ("%", vec!["b@example.com"]),
            ("_", vec!["b@example.com"]),
            ("!", vec![]),
            ("Zoë ÄRGER", vec![]),
            ("' OR 1=1 --", vec![]),
            ("B@EXAMPLE", vec!["b@example.com"]),
        ] {
            assert_eq!(emails(&bed, searched(text)).await, expected, "{text}");
        }
        assert_eq!(emails(&bed, searched(" ")).await.len(), 3);
        assert!(bed.records.list(&bed.scope(), "lead", searched("a\0")).await.is_err());
    }

    /// The total counts every match, not the rows of the page.
    async fn pages_and_totals(bed: Bed) {
        for i in 0..5 {
            bed.lead(&format!("{i}@example.com"), json!({"status": if i == 0 { "OLD" } else { "NEW" }})).await;
        }
        let page = |page, limit| Query { page: PageRequest { limit, page: Some(page), ..PageRequest::default() }, total: true, ..filtered(&[("status", "NEW")]) };
        let second = bed.records.list(&bed.scope(), "lead", page(2, 3)).await.unwrap();
        assert_eq!((second.data.len(), second.pagination.total, second.pagination.page), (1, Some(4), Some(2)));
        assert_eq!(emails(&bed, page(1, 3)).await, ["4@example.com", "3@example.com", "2@example.com"]);
        assert!(emails(&bed, page(1_000_000, 100)).await.is_empty());
        let none = Query { total: true, ..searched("nobody") };
        assert_eq!(bed.records.list(&bed.scope(), "lead", none).await.unwrap().pagination.total, Some(0));
    }

    /// Numbers sort as numbers, absent ones first; every record is in the list once.
    async fn sorts(bed: Bed) {
        for (name, score) in [("a", json!(9)), ("b", json!(10)), ("c", json!(null)), ("d", json!(87.5)), ("e", json!(0)), ("f", json!(10))] {
            bed.lead(&format!("{name}@example.com"), json!({ "score": score })).await;
        }
        let names = |list: &str| list.chars().map(|name| format!("{name}@example.com")).collect::<Vec<_>>();
        assert_eq!(walk(&bed, sorted("score", false)).await.unwrap(), names("ceabfd"));
        assert_eq!(walk(&bed, sorted("score", true)).await.unwrap(), names("dfbaec"));
        assert_eq!(walk(&bed, sorted("createdAt", false)).await.unwrap(), names("abcdef"));
        let both = Query { filter: filtered(&[("source", "web")]).filter, ..sorted("score", true) };
        assert_eq!(walk(&bed, both).await.unwrap(), names("dfbaec"));
        let refused = bed.records.list(&bed.scope(), "lead", sorted("notes", true)).await.unwrap_err();
        assert_eq!(refused.fields()[0].pointer, "/sort");
    }

    /// A cursor of another order, or no cursor at all, is refused and does no harm.
    async fn foreign_cursors_are_refused(bed: Bed) {
        for i in 0..3 {
            bed.lead(&format!("{i}@example.com"), json!({})).await;
        }
        let limited = |query: Query, cursor| Query { page: PageRequest { limit: 1, cursor, ..PageRequest::default() }, ..query };
        let part = bed.records.list(&bed.scope(), "lead", limited(sorted("score", true), None)).await.unwrap();
        let foreign = kernel::Cursor::decode(&part.pagination.next_cursor.unwrap()).unwrap();
        let nonsense = kernel::Cursor { key: 0, id: "rec_x".into() };
        for cursor in [foreign, nonsense] {
            let error = bed.records.list(&bed.scope(), "lead", limited(Query::default(), Some(cursor))).await.unwrap_err();
            assert_eq!(error.code(), "malformed_cursor");
        }
    }
}
