//! What GraphQL costs: one record, and a list with its children, against PostGraphile over plain tables with the same data in the same
//! PostgreSQL. Ours with a key, limits and the request log; the reference without any.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::sides::{Side, alternate};
use crate::postgraphile::PostGraphile;
use crate::report::Row;
use crate::server::{Place, Server, psql};
use crate::setup::Rig;
use crate::traffic::Asks;

pub use super::sides::Config;

/// Shops, and orders of each.
const SHOPS: usize = 1000;
const ORDERS: usize = 10;
/// Least rate, in times of the reference's.
const SHARE: f64 = 3.0;
/// The two kinds of things.
const RESOURCES: &str = r#"
[[resources]]
name = "shop"
plural = "shops"
filters = ["city"]
scopes = { read = "leads:read", write = "leads:write" }
[resources.schema]
type = "object"
required = ["name"]
[resources.schema.properties]
name = { type = "string" }
city = { type = "string" }

[[resources]]
name = "order"
plural = "orders"
filters = ["state"]
scopes = { read = "leads:read", write = "leads:write" }
parents = [{ field = "shopId", resource = "shop" }]
[resources.schema]
type = "object"
required = ["shopId"]
[resources.schema.properties]
shopId = { type = "string" }
state = { type = "string" }
amount = { type = "integer" }
"#;
/// The same as tables, in the order in which ours are listed.
const TABLES: &str = "SET tradewind.tenant = '*'; \
    CREATE SCHEMA peer; \
    CREATE TABLE peer.shops AS SELECT id AS key, document::jsonb->>'name' AS name, document::jsonb->>'city' AS city \
      FROM records WHERE resource = 'shop'; \
    ALTER TABLE peer.shops ADD PRIMARY KEY (key); \
    CREATE TABLE peer.orders AS SELECT id AS key, document::jsonb->>'shopId' AS shop_key, document::jsonb->>'state' AS state, \
      (document::jsonb->>'amount')::int AS amount FROM records WHERE resource = 'order'; \
    ALTER TABLE peer.orders ADD PRIMARY KEY (key); \
    ALTER TABLE peer.orders ADD FOREIGN KEY (shop_key) REFERENCES peer.shops (key); \
    CREATE INDEX ON peer.orders (shop_key, key); \
    ANALYZE peer.shops; ANALYZE peer.orders; ANALYZE records; ANALYZE record_fields";

/// Measures. Error: without PostgreSQL, there is nothing to compare with.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    ensure!(place.postgres.is_some(), "bench graphql compares on PostgreSQL: give --postgres postgres://…");
    let rig = Rig::on(server(place)?).await?;
    rig.raise_limits().await?;
    let shop = load(&rig).await?;
    let database = rig.server.database_url().context("the run has a database")?.to_owned();
    psql(&database, TABLES)?;
    let key = rig.key().await?;
    let bearer = format!("Bearer {key}");
    let one = (format!("{{ shop(id: \"{shop}\") {{ id name city }} }}"), format!("{{ shopByKey(key: \"{shop}\") {{ key name city }} }}"));
    let nested = (
        "{ shops(first: 20) { nodes { id name orders(first: 5) { nodes { id state amount } } } } }".to_owned(),
        "{ allShops(first: 20, orderBy: PRIMARY_KEY_DESC) { nodes { key name \
         ordersByShopKey(first: 5, orderBy: PRIMARY_KEY_DESC) { nodes { key state amount } } } } }"
            .to_owned(),
    );
    let peer = PostGraphile::start(&database, "peer", &json!({"query": nested.1})).await?;
    let mut rows = Vec::new();
    for (what, (our, their), expected) in [("one record", one, "Shop"), ("a nested list", nested, "paid")] {
        let headers = [("authorization", bearer.as_str())];
        let ours = Side::new("graphql", rig.server.address(), Asks::new("/graphql", &headers, &json!({"query": our}), expected));
        let plain: [(&str, &str); 0] = [];
        let theirs = Side::new("postgraphile", peer.address, Asks::new("/graphql", &plain, &json!({"query": their}), expected));
        let runs = alternate(&ours, &theirs, config).await?;
        rows.extend(runs.rows("graphql", &format!("{what} against PostGraphile"), SHARE, config));
    }
    Ok(rows)
}

fn server(place: &Place) -> Result<Server> {
    let mut server = Server::prepare(place)?;
    let blueprint = server.run(&["blueprint", "show", "insurance-leads"])?;
    server.set_blueprint(&format!("{blueprint}\n{RESOURCES}"))?;
    Ok(server)
}

/// Puts in the data; the id of a shop.
async fn load(rig: &Rig) -> Result<String> {
    let shops: Vec<Value> =
        (0..SHOPS).map(|n| json!({"data": {"name": format!("Shop {n}"), "city": format!("City {}", n % 50)}})).collect();
    let made = batch(rig, "shop", shops).await?;
    for part in made.chunks(100) {
        let of = |shop: &String| (0..ORDERS).map(|n| json!({"data": {"shopId": shop, "state": "paid", "amount": n}})).collect::<Vec<_>>();
        batch(rig, "order", part.iter().flat_map(of).collect()).await?;
    }
    made.into_iter().nth(SHOPS / 2).context("there are shops")
}

/// Makes up to 1,000 records; their ids.
async fn batch(rig: &Rig, resource: &str, operations: Vec<Value>) -> Result<Vec<String>> {
    let answer = rig.call("POST", &format!("/api/v1/records/{resource}/batch"), Some(&json!({"operations": operations}))).await?;
    let items = answer["data"].as_array().context("a batch answers data")?;
    items.iter().map(|item| id(item).with_context(|| format!("no id in {item}"))).collect()
}

fn id(item: &Value) -> Option<String> {
    let id = item.get("id").or_else(|| item.get("data").and_then(|data| data.get("id")))?;
    id.as_str().map(str::to_owned)
}
