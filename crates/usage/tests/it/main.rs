//! The request log against real engines.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use kernel::{Ambient, Caller, PageRequest, RequestId, TenantId};
use store::{Config, Database, MasterKey, Store};
use usage::request_logs::Filter;
use usage::{RequestRow, Usage};

async fn open(database: Database, ambient: &Ambient) -> Store {
    let config = Config::new(database, MasterKey::generate(ambient), ambient.clone(), usage::MIGRATIONS.to_vec());
    Store::open(config).await.unwrap()
}

fn row(ambient: &Ambient, tenant: TenantId, status: u16) -> RequestRow {
    RequestRow {
        id: ambient.id::<RequestId>(),
        tenant: Some(tenant),
        client: None,
        key: None,
        at: ambient.now(),
        method: "GET",
        endpoint: Arc::from("/api/v1/leads/{id}"),
        query: Some("q=\0x".into()),
        status,
        duration_us: 1500,
        request_bytes: 0,
        response_bytes: 12,
        ip: Some([127, 0, 0, 1].into()),
        user_agent: Some("x".repeat(2000)),
        error_code: None,
    }
}

async fn records_and_lists(database: Database) {
    let ambient = Ambient::system();
    let store = open(database, &ambient).await;
    let usage = Usage::start(&store);
    let (mine, other): (TenantId, TenantId) = (ambient.id(), ambient.id());
    for _ in 0..2500 {
        usage.record(row(&ambient, mine, 200));
    }
    usage.record(row(&ambient, other, 500));
    usage.flush().await;

    let caller = Caller::system("test", Some(mine));
    let mut seen = 0;
    let mut page = PageRequest { limit: 100, ..PageRequest::default() };
    loop {
        let part = usage.request_logs(&caller, Filter::default(), page.clone()).await.unwrap();
        seen += part.data.len();
        assert!(part.data.iter().all(|row| row.status == 200 && row.user_agent.as_ref().unwrap().len() == 512));
        let Some(next) = part.pagination.next_cursor else { break };
        page.cursor = Some(kernel::Cursor::decode(&next).unwrap());
    }
    assert_eq!(seen, 2500, "every row of this tenant once, none of the other's");
    let failed = Filter { status: Some(500), ..Filter::default() };
    assert!(usage.request_logs(&caller, failed.clone(), PageRequest::default()).await.unwrap().data.is_empty());
    let theirs = usage.request_logs(&Caller::system("test", Some(other)), failed, PageRequest::default()).await.unwrap();
    assert_eq!(theirs.data.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let dir = tempfile::tempdir().unwrap();
    records_and_lists(Database::Sqlite(dir.path().to_owned())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let database = testkit::postgres::fresh_database();
    records_and_lists(Database::Postgres(database.url().clone())).await;
}
