//! The authorization server from outside: judged by others' clients, unmodified, and attacked.

mod attacks;
mod nodes;
mod person;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::Engine;

use crate::world::{Tenant, World, text};
use testkit::tools;

use person::Person;

const OPENID: [&str; 3] = ["openid-client@^6.8.9", "oauth4webapi@^3.8.8", "jose@^6.2.0"];
const MCP: &str = "@modelcontextprotocol/sdk@^1.32.0";
const AUTHLIB: [&str; 3] = ["authlib==1.9.9", "requests", "cryptography"];

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oauth").join(name)
}

/// What a script is given.
fn given(world: &World, tenant: &Tenant, more: &Value) -> Value {
    let made = world.server.settings().run(&["service-key", "create", "--name", "registrar", "--tenant", &tenant.id]);
    let registrar = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let mut given = json!({
        "base": world.server.base(), "serviceKey": world.service_key, "tenant": tenant.id, "registrar": registrar, "devicePage": true,
    });
    for (name, value) in more.as_object().unwrap() {
        given[name] = value.clone();
    }
    given
}

/// Runs a judge in Node to its end.
fn node(name: &str, dir: &Path, given: &Value) {
    let output = tools::run(Command::new("node").arg(script(name)).arg(dir).arg(given.to_string()));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.trim_end().ends_with("ok"), "{said}");
}

fn has_node(what: &str) -> bool {
    tools::present("node", what) && tools::present("npm", what)
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_judges() {
    if !has_node("openid-client") {
        return;
    }
    let world = World::start(Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    let given = given(&world, &tenant, &json!({}));
    node("openid_client.mjs", &tools::npm("openid-npm", &OPENID), &given);
}

/// With nonces that every proof must have, Ed25519 as the key, and PostgreSQL below.
#[tokio::test(flavor = "multi_thread")]
async fn oauth4webapi_judges() {
    if !has_node("oauth4webapi") {
        return;
    }
    let world = World::start(Engine::postgres(), |settings| {
        settings.set("TRADEWIND_OAUTH_DPOP_NONCE", "true").set("TRADEWIND_OAUTH_SIGNING_ALGORITHM", "EdDSA")
    });
    let tenant = world.tenant("Acme").await;
    let given = given(&world, &tenant, &json!({}));
    node("oauth4webapi.mjs", &tools::npm("openid-npm", &OPENID), &given);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_authorize_by_themselves() {
    if !has_node("the authorization of agents") {
        return;
    }
    let world = World::start(Engine::sqlite(), |settings| {
        settings.set("TRADEWIND_OAUTH_REGISTRATION", "open").set("TRADEWIND_OAUTH_REGISTRATION_TENANT", "ext:registered")
    });
    world.operator.post("/api/v1/tenants", &json!({"name": "Registered apps", "externalId": "registered"})).await.assert_status(201);
    let tenant = world.tenant("Acme").await;
    let given = given(&world, &tenant, &json!({"scope": "leads:read"}));
    node("mcp_client.mjs", &tools::npm("mcp-npm", &[MCP]), &given);
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_judges() {
    if !tools::present("python3", "authlib") {
        return;
    }
    let world = World::start(Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    let python = tools::pip_all("authlib-pypi", &AUTHLIB);
    let judge = json!({"name": "Judge", "redirectUris": ["https://app.example/callback"]});
    let made = tenant.host.post("/api/v1/api-clients", &judge).await.expect(201).json();
    let (private, public) = rsa(&python);
    let signing = tenant.host.post("/api/v1/api-clients", &json!({"name": "Signing"})).await.expect(201).json();
    let settings = json!({"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": [public]}});
    tenant.host.put(&format!("/api/v1/api-clients/{}/oauth", text(&signing["id"])), &settings).await.assert_status(200);
    let more = json!({
        "clientId": made["id"], "clientSecret": made["clientSecret"], "signingId": signing["id"], "privateKey": private,
    });
    let given = given(&world, &tenant, &more);
    let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
    let mut command = Command::new(&python);
    command.arg(script("authlib_client.py")).arg(given.to_string()).env("AUTHLIB_INSECURE_TRANSPORT", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut into, out) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut last = Value::Null;
    for line in out.lines() {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(address) = last["go"].as_str() {
            let back = person.allow(address).await;
            writeln!(into, "{back}").unwrap();
        }
    }
    assert!(child.wait().unwrap().success(), "the client failed after {last}");
    assert_eq!(last["done"], "ok");
}

/// A new RSA key: PEM, and the public key as a JWK.
fn rsa(python: &Path) -> (String, Value) {
    const MAKE: &str = "import json\nfrom authlib.jose import RSAKey\nkey = RSAKey.generate_key(2048, is_private=True)\n\
                        print(json.dumps([key.as_pem(is_private=True).decode(), key.as_dict(is_private=False)]))";
    let output = tools::run(Command::new(python).args(["-W", "ignore", "-c", MAKE]));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    (text(&made[0]), made[1].clone())
}
