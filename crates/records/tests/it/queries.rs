//! Whatever is asked, a list answers what a reader of all records would: filters, search and order against a plain model, with the texts in
//! the tail, half worked in, and all in the index.

use kernel::{PageRequest, RecordId};
use records::{Children, Filter, Op, Operand, Query, Record, RecordRef, Sort, Term};
use serde_json::{Value, json};

use crate::bed::{Bed, members};

/// Small numbers that follow from each other, so that every run asks the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

const STATUSES: [&str; 4] = ["NEW", "HOT", "COLD", "LOST"];
const NAMES: [&str; 6] = ["Ada", "Grace", "Zoë", "adalbert", "Max_x", "100%"];

async fn fill(bed: &Bed, from: usize, count: usize, dice: &mut Dice) {
    for i in from..from + count {
        if i % 7 == 0 {
            bed.later();
        }
        let mut more =
            json!({"firstName": dice.pick(&NAMES), "status": dice.pick(&STATUSES), "lastName": format!("Byron{}", dice.roll(30))});
        if dice.roll(3) > 0 {
            more["score"] = json!(dice.roll(8));
        }
        bed.lead(&format!("user{i}@example.com"), more).await;
        if i == from + count / 2 {
            bed.records.settle().await.unwrap();
        }
    }
}

/// The model: what a filter says of a record.
fn holds(filter: &Filter, record: &Record) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| holds(part, record)),
        Filter::Any(parts) => parts.iter().any(|part| holds(part, record)),
        Filter::Not(part) => !holds(part, record),
        Filter::Is(term) => {
            let own = record.document.get(&term.field).filter(|value| !value.is_null());
            let value = |operand: &Operand| match operand {
                Operand::Json(value) => value.clone(),
                Operand::Text(text) => json!(text),
            };
            let order = |operand: &Operand| own.and_then(|own| Some(own.as_f64()?.partial_cmp(&value(operand).as_f64()?).unwrap()));
            let first = &term.values[0];
            match term.op {
                Op::Eq => own == Some(&value(first)),
                Op::Ne => own != Some(&value(first)),
                Op::In => term.values.iter().any(|one| own == Some(&value(one))),
                Op::NotIn => !term.values.iter().any(|one| own == Some(&value(one))),
                Op::Gt => order(first).is_some_and(std::cmp::Ordering::is_gt),
                Op::Gte => order(first).is_some_and(std::cmp::Ordering::is_ge),
                Op::Lt => order(first).is_some_and(std::cmp::Ordering::is_lt),
                Op::Lte => order(first).is_some_and(std::cmp::Ordering::is_le),
                Op::Exists => own.is_some() == (value(first) == json!(true)),
            }
        }
    }
}

fn expected(all: &[Record], query: &Query) -> Vec<RecordId> {
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    let found = |record: &&Record| {
        let text = |name: &str| record.document.get(name).and_then(Value::as_str).map(lower).unwrap_or_default();
        let asked = query.search.as_deref().map(str::trim).map(lower).unwrap_or_default();
        ["firstName", "lastName", "email"].iter().any(|name| text(name).contains(&asked)) && holds(&query.filter, record)
    };
    let mut out: Vec<&Record> = all.iter().filter(found).collect();
    let score = |record: &Record| record.document.get("score").and_then(Value::as_f64).unwrap_or(-1.0);
    let (by_score, descending) = query.sort.as_ref().map_or((false, true), |sort| (sort.field == "score", sort.descending));
    out.sort_by(|a, b| {
        let by_value = if by_score { score(a).total_cmp(&score(b)) } else { std::cmp::Ordering::Equal };
        let up = by_value.then((a.created_at, a.id).cmp(&(b.created_at, b.id)));
        if descending { up.reverse() } else { up }
    });
    out.into_iter().map(|record| record.id).collect()
}

fn term(dice: &mut Dice) -> Filter {
    let text = |text: &str| Operand::Text(text.to_owned());
    let number = |dice: &mut Dice| Operand::Json(json!(dice.roll(9)));
    let (field, op, values) = match dice.roll(8) {
        0 => ("status", Op::Eq, vec![text(dice.pick(&STATUSES))]),
        1 => ("status", Op::In, vec![text("HOT"), text("COLD")]),
        2 => ("status", Op::Ne, vec![text(dice.pick(&STATUSES))]),
        3 => ("score", Op::Gte, vec![number(dice)]),
        4 => ("score", Op::Lt, vec![number(dice)]),
        5 => ("score", Op::Exists, vec![Operand::Json(json!(dice.roll(2) == 0))]),
        6 => ("score", Op::NotIn, vec![number(dice), number(dice)]),
        _ => ("email", Op::Eq, vec![text(&format!("user{}@example.com", dice.roll(70)))]),
    };
    Filter::Is(Term { field: field.into(), op, values })
}

fn query(dice: &mut Dice) -> Query {
    let mut filter = Filter::default();
    for _ in 0..dice.roll(3) {
        filter = filter.and(match dice.roll(6) {
            0 => Filter::Any(vec![term(dice), term(dice)]),
            1 => Filter::Not(Box::new(term(dice))),
            _ => term(dice),
        });
    }
    let searches = ["ada", "ZOË", "a", "on1", "user1", "user1@example.com", "%", "max_", "00%", "example.com", "no such", "ron2"];
    let search = (dice.roll(2) == 0).then(|| dice.pick(&searches).to_owned());
    let sort = match dice.roll(4) {
        0 => Some(Sort { field: "score".into(), descending: dice.roll(2) == 0 }),
        1 => Some(Sort { field: "createdAt".into(), descending: false }),
        _ => None,
    };
    Query { filter, search, sort, ..Query::default() }
}

/// Every page of a list by cursor, and the same by number.
async fn walk(bed: &Bed, query: &Query, limit: u32) -> (Vec<RecordId>, Vec<RecordId>) {
    let (mut by_cursor, mut by_number) = (Vec::new(), Vec::new());
    let mut page = PageRequest { limit, ..PageRequest::default() };
    loop {
        let part = bed.records.list(&bed.scope(), "lead", Query { page: page.clone(), ..query.clone() }).await.unwrap();
        by_cursor.extend(part.data.iter().map(|record| record.id));
        let Some(next) = part.pagination.next_cursor else { break };
        page.cursor = Some(kernel::Cursor::decode(&next).unwrap());
    }
    for number in 1.. {
        let page = PageRequest { limit, page: Some(number), ..PageRequest::default() };
        let part = bed.records.list(&bed.scope(), "lead", Query { page, total: true, ..query.clone() }).await.unwrap();
        assert_eq!(part.pagination.total, Some(by_cursor.len() as u64), "{query:?}");
        if part.data.is_empty() {
            break;
        }
        by_number.extend(part.data.iter().map(|record| record.id));
    }
    (by_cursor, by_number)
}

async fn everything(bed: &Bed) -> Vec<Record> {
    let mut all = Vec::new();
    let mut page = PageRequest { limit: 100, ..PageRequest::default() };
    loop {
        let part = bed.records.list(&bed.scope(), "lead", Query { page: page.clone(), ..Query::default() }).await.unwrap();
        all.extend(part.data);
        let Some(next) = part.pagination.next_cursor else { return all };
        page.cursor = Some(kernel::Cursor::decode(&next).unwrap());
    }
}

async fn compare(bed: &Bed, dice: &mut Dice, rounds: usize) {
    let all = everything(bed).await;
    for _ in 0..rounds {
        let query = query(dice);
        let limit = u32::try_from(1 + dice.roll(25)).unwrap();
        let (by_cursor, by_number) = walk(bed, &query, limit).await;
        assert_eq!(by_cursor, expected(&all, &query), "{query:?}");
        assert_eq!(by_number, by_cursor, "{query:?}");
    }
}

testkit::engines! {
    /// With texts in the tail and in the index; after changes and deletions; and when everything is in the index.
    async fn a_list_is_what_a_reader_of_all_would_find(bed: Bed) {
        let mut dice = Dice(7);
        bed.records.create(&bed.stranger(), "lead", crate::bed::lead("user1@example.com", json!({"score": 1}))).await.unwrap();
        fill(&bed, 0, 60, &mut dice).await;
        compare(&bed, &mut dice, 12).await;
        for (i, record) in everything(&bed).await.into_iter().enumerate() {
            match i % 6 {
                0 => bed.records.delete(&bed.scope(), "lead", RecordRef::Id(record.id)).await.unwrap(),
                1 => {
                    let patch = members(json!({"firstName": "Adamant", "score": null, "status": "LOST"}));
                    bed.records.update(&bed.scope(), "lead", RecordRef::Id(record.id), patch, None).await.unwrap();
                }
                _ => {}
            }
        }
        compare(&bed, &mut dice, 12).await;
        bed.records.settle().await.unwrap();
        assert_eq!(bed.count("record_tail").await, 0);
        compare(&bed, &mut dice, 16).await;
        assert_eq!(bed.records.settle().await.unwrap(), 0);
    }

    /// A clock that was set back makes records older than some that have their places: they are found all the same, in their order.
    async fn a_clock_that_was_set_back_loses_nothing(bed: Bed) {
        let mut dice = Dice(3);
        fill(&bed, 0, 20, &mut dice).await;
        bed.records.settle().await.unwrap();
        bed.clock.set(kernel::Timestamp::parse("2025-06-01T00:00:00Z").unwrap());
        fill(&bed, 20, 10, &mut dice).await;
        bed.records.settle().await.unwrap();
        assert!(bed.count("record_tail").await >= 9);
        compare(&bed, &mut dice, 10).await;
    }

    /// The first children of many parents, and many records by their ids, in one go; nothing of another tenant.
    async fn relations_are_followed_at_once(bed: Bed) {
        let mut dice = Dice(5);
        fill(&bed, 0, 24, &mut dice).await;
        let all = everything(&bed).await;
        let parents: Vec<String> = STATUSES.iter().chain(&["NONE"]).map(|status| (*status).to_owned()).collect();
        let query = Query { page: PageRequest { limit: 3, ..PageRequest::default() }, ..Query::default() };
        let children = Children { member: "status".into(), parents: parents.clone() };
        let found = bed.records.children(&bed.scope(), "lead", children.clone(), query.clone()).await.unwrap();
        for parent in &parents {
            let of = Query { filter: Filter::eq("status", Operand::Text(parent.clone())), ..Query::default() };
            let want = expected(&all, &of);
            let got: Vec<RecordId> = found[parent].edges.iter().map(|edge| edge.record.id).collect();
            assert_eq!((got.as_slice(), found[parent].has_more), (&want[..want.len().min(3)], want.len() > 3), "{parent}");
        }
        let ids: Vec<RecordId> = all.iter().map(|record| record.id).chain([bed.ambient.id()]).collect();
        assert_eq!(bed.records.get_many(&bed.scope(), "lead", ids.clone()).await.unwrap().len(), all.len());
        assert!(bed.records.get_many(&bed.stranger(), "lead", ids.clone()).await.unwrap().is_empty());
        assert!(bed.records.get_many(&bed.scope(), "quote", ids).await.unwrap().is_empty());
        assert!(bed.records.get_many(&bed.scope(), "lead", Vec::new()).await.unwrap().is_empty());
        let theirs = bed.records.children(&bed.stranger(), "lead", children, query.clone()).await.unwrap();
        assert!(theirs.values().all(|edges| edges.edges.is_empty()));
        let part = bed.records.edges(&bed.scope(), "lead", Query { total: true, ..query.clone() }).await.unwrap();
        assert_eq!((part.edges.len(), part.has_more, part.total), (3, true, Some(24)));
        let page = PageRequest { limit: 100, cursor: Some(part.edges[1].cursor.clone()), ..PageRequest::default() };
        let rest = bed.records.edges(&bed.scope(), "lead", Query { page, ..query }).await.unwrap();
        assert_eq!(rest.edges.iter().map(|edge| edge.record.id).collect::<Vec<_>>(), all[2..].iter().map(|record| record.id).collect::<Vec<_>>());
    }

    /// A filter and a search that each have more than a thousand records, and both have three: in the order of a member, to the last.
    async fn a_filter_and_a_search_that_seldom_meet(bed: Bed) {
        let tenant = bed.tenant;
        // Two thousand that have the one or the other.
        for sql in [
            "INSERT INTO records (id, tenant_id, resource, document, search_text, revision, created_at, updated_at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2600) \
             SELECT 'rec_01jd3m9x7efd2v5k8q0r' || CAST(100000 + i AS TEXT), CAST(?1 AS TEXT), 'lead', '{}', CASE WHEN i % 2 = 0 THEN 'ada' ELSE 'max' END, 1, i, i FROM n",
            "INSERT INTO record_fields (tenant_id, resource, field, value, record_id, created_at) \
             SELECT tenant_id, resource, 'status', CASE WHEN search_text = 'max' THEN 'sHOT' ELSE 'sNEW' END, id, created_at FROM records WHERE tenant_id = ?1",
            "INSERT INTO record_fields (tenant_id, resource, field, value, record_id, created_at) \
             SELECT tenant_id, resource, 'score', 'nc0000000000000000', id, created_at FROM records WHERE tenant_id = ?1",
            "INSERT INTO record_tail (tenant_id, resource, record_id, created_at, kept, search_text) \
             SELECT tenant_id, resource, id, created_at, 0, search_text FROM records WHERE tenant_id = ?1",
        ] {
            bed.store.write(bed.scope(), move |tx| tx.exec(sql, &[tenant.into()])).await.unwrap();
        }
        for score in [5, 90, 40] {
            bed.later();
            bed.lead(&format!("{score}@example.com"), json!({"status": "HOT", "score": score, "firstName": "Ada"})).await;
        }
        bed.records.settle().await.unwrap();
        bed.later();
        let late = bed.lead("late@example.com", json!({"status": "HOT", "score": 60, "firstName": "Ada"})).await;
        let ask = async |descending, page| {
            let filter = Filter::eq("status", Operand::Text("HOT".into()));
            let sort = Some(Sort { field: "score".into(), descending });
            let query = Query { filter, search: Some("ada".into()), sort, page, ..Query::default() };
            let list = bed.records.list(&bed.scope(), "lead", query).await.unwrap();
            let scores = list.data.iter().map(|record| record.document["score"].as_i64().unwrap()).collect::<Vec<_>>();
            (scores, list.pagination.next_cursor)
        };
        assert_eq!(ask(true, PageRequest { limit: 50, ..PageRequest::default() }).await.0, [90, 60, 40, 5]);
        let (first, next) = ask(false, PageRequest { limit: 3, ..PageRequest::default() }).await;
        assert_eq!(first, [5, 40, 60]);
        let cursor = kernel::Cursor::decode(&next.unwrap()).unwrap();
        assert_eq!(ask(false, PageRequest { limit: 3, cursor: Some(cursor), ..PageRequest::default() }).await.0, [90]);
        // One that was changed is a candidate of its old text, and turned down.
        bed.records.update(&bed.scope(), "lead", RecordRef::Id(late.id), members(json!({"firstName": "Max"})), None).await.unwrap();
        assert_eq!(ask(true, PageRequest { limit: 50, ..PageRequest::default() }).await.0, [90, 40, 5]);
    }

    /// What is not declared, does not fit or is out of bounds is refused with its place.
    async fn bad_questions_are_refused(bed: Bed) {
        bed.lead("a@example.com", json!({})).await;
        let is = |field: &str, op, values: Vec<Operand>| Filter::Is(Term { field: field.into(), op, values });
        let text = |text: &str| vec![Operand::Text(text.to_owned())];
        for (filter, pointer) in [
            (is("notes", Op::Eq, text("x")), "/notes"),
            (is("no/such", Op::Eq, text("x")), "/no~1such"),
            (is("status", Op::Eq, text("a\0")), "/status"),
            (is("status", Op::Eq, text(&"x".repeat(1001))), "/status"),
            (is("status", Op::Eq, vec![]), "/status"),
            (is("status", Op::In, vec![]), "/status"),
            (is("status", Op::Eq, vec![Operand::Json(json!({"a": 1}))]), "/status"),
            (is("score", Op::Gt, text("many")), "/score"),
            (is("score", Op::Exists, text("maybe")), "/score"),
            (is("createdAt", Op::Gt, text("yesterday")), "/createdAt"),
            (is("createdAt", Op::In, text("2026-01-31T12:00:00Z")), "/createdAt"),
            (Filter::Any(vec![]), "/filter"),
            ((0..20).fold(is("status", Op::Eq, text("x")), |inner, _| Filter::Not(Box::new(inner))), "/filter"),
            (Filter::All((0..41).map(|_| is("status", Op::Eq, text("x"))).collect()), "/filter"),
            (is("status", Op::In, (0..201).map(|i| Operand::Text(i.to_string())).collect()), "/filter"),
        ] {
            let query = Query { filter, ..Query::default() };
            let error = bed.records.list(&bed.scope(), "lead", query).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("validation_failed", pointer));
        }
        let when = |op| Query { filter: is("createdAt", op, text("2026-01-31T12:00:00Z")), ..Query::default() };
        assert_eq!(bed.records.list(&bed.scope(), "lead", when(Op::Lte)).await.unwrap().data.len(), 1);
        assert_eq!(bed.records.list(&bed.scope(), "lead", when(Op::Gt)).await.unwrap().data.len(), 0);
        let nothing = Query { search: Some("x".into()), ..Query::default() };
        let error = bed.numbered.list(&bed.scope(), "no-such", nothing).await.unwrap_err();
        assert_eq!(error.code(), "not_found");
    }
}
