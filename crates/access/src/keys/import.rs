//! `POST /api/v1/api-keys/import`: a key of another system goes on working here, known by the SHA-256 of its text alone.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::{CreateKey, Key, restrictions, sql};
use crate::credentials::{fingerprint, foreign_key_id, hex, sha256_hex};
use crate::{Access, clients, keys};

/// Most characters of what may be shown of it.
const MAX_MASK: usize = 64;

/// A key of another system: what a new key is made of, and what it is known by.
#[derive(Clone, Debug)]
pub struct ImportKey {
    /// SHA-256 of the key's text, as 64 hexadecimal digits.
    pub hash: String,
    /// What may be shown of it, such as its first characters. Default: `imported_` and a part of its id.
    pub mask: Option<String>,
    /// All else.
    pub key: CreateKey,
}

impl ImportKey {
    /// The hash in lower case, the mask, and what remains: a key like any other.
    fn split(self) -> Result<(String, Option<String>, CreateKey)> {
        let hash = self.hash.to_ascii_lowercase();
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::field("/hash", "must be the SHA-256 of the key's text, as 64 hexadecimal digits"));
        }
        if is_of_a_known_text(&hash) {
            let detail = "is the SHA-256 of nothing, of one or two signs, or of a word that stands in place of a key: whatever was hashed, it was no key";
            return Err(Error::field("/hash", detail));
        }
        if let Some(mask) = &self.mask {
            kernel::text::line("/mask", mask, 1, MAX_MASK)?;
        }
        Ok((hash, self.mask, self.key))
    }
}

impl<'de> Deserialize<'de> for ImportKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(Body)
    }
}

/// Reads one object into the two: its own members it keeps, the others it hands on, so that unknown ones are refused there.
struct Body;

impl<'de> Visitor<'de> for Body {
    type Value = ImportKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<ImportKey, A::Error> {
        let (mut hash, mut mask) = (None, None);
        let key = CreateKey::deserialize(MapAccessDeserializer::new(Rest { map, hash: &mut hash, mask: &mut mask }))?;
        let hash = hash.ok_or_else(|| de::Error::missing_field("hash"))?;
        Ok(ImportKey { hash, mask: mask.flatten(), key })
    }
}

struct Rest<'a, A> {
    map: A,
    hash: &'a mut Option<String>,
    mask: &'a mut Option<Option<String>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> std::result::Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.map.next_key::<String>()? {
            match name.as_str() {
                "hash" if self.hash.is_none() => *self.hash = Some(self.map.next_value()?),
                "hash" => return Err(de::Error::duplicate_field("hash")),
                "mask" if self.mask.is_none() => *self.mask = Some(self.map.next_value()?),
                "mask" => return Err(de::Error::duplicate_field("mask")),
                _ => return seed.deserialize(name.into_deserializer()).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> std::result::Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

impl utoipa::PartialSchema for ImportKey {
    fn schema() -> RefOr<Schema> {
        let mut whole = CreateKey::schema();
        if let RefOr::T(Schema::Object(object)) = &mut whole {
            let text = |said: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(said)).build().into();
            object.properties.insert("hash".into(), text("SHA-256 of the key's text, as 64 hexadecimal digits."));
            object.properties.insert("mask".into(), text("What may be shown of it. Default: `imported_` and a part of its id."));
            object.required.push("hash".into());
            object.description = Some("A key of another system: what a new key is made of, and what it is known by.".into());
        }
        whole
    }
}

impl utoipa::ToSchema for ImportKey {
    fn name() -> std::borrow::Cow<'static, str> {
        "ImportKey".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        CreateKey::schemas(schemas);
    }
}

/// What scripts hash by mistake when a key is missing.
const NO_KEYS: [&str; 14] =
    ["", "null", "NULL", "None", "none", "nil", "undefined", "true", "false", "key", "api_key", "token", "secret", "password"];

/// Whether this is the SHA-256 (in lower case) of a text that is nobody's key. Only so much can be told from a hash: the host must give hashes
/// of real keys.
fn is_of_a_known_text(hash: &str) -> bool {
    static KNOWN: OnceLock<HashSet<String>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let signs = || (b' '..=b'~').chain([b'\n', b'\r', b'\t']).map(char::from);
        let singles = signs().map(String::from);
        let pairs = signs().flat_map(|first| signs().map(move |second| String::from_iter([first, second])));
        let words = NO_KEYS.iter().flat_map(|word| [(*word).to_owned(), format!("{word}\n")]);
        words.chain(singles).chain(pairs).map(|text| sha256_hex(&text)).collect()
    });
    known.contains(hash)
}

impl Access {
    /// Takes a key of another system over. It is found by a keyed hash of its SHA-256, has no checksum, and is otherwise like any other key:
    /// it ends, is limited and is rotated (into a key of ours).
    ///
    /// Errors: those of [`Access::create_key`]; 403 `operator_only`; 409 `key_exists`.
    pub async fn import_key(self: &Arc<Self>, caller: &Caller, input: ImportKey) -> Result<Key> {
        caller.operate()?;
        let caller = self.acting_for(caller, input.key.tenant_id.as_deref()).await?;
        let scope = caller.allow(Permission::KeysWrite)?;
        let (hash, mask, input) = input.split()?;
        let reference: IdRef<ClientId> =
            input.client_id.parse().map_err(|_| Error::field("/clientId", "must be cli_… or ext: and the host's id"))?;
        let (access, tenant) = (Arc::clone(self), scope.tenant());
        let mut key = self.describe(tenant, input)?;
        let id = key.id.to_string();
        key.shown_id = mask.unwrap_or_else(|| format!("imported_{}", &id[id.len() - 12..]));
        key.mask.clone_from(&key.shown_id);
        let proof = fingerprint(&self.pepper, &hash);
        let hidden =
            sql::Hidden { key_id: foreign_key_id(&proof), hash: proof, secret_hash: None, fingerprint: hex(&proof), waiting: None };
        let outcome = self.store.answer(scope, move |tx| {
            if sql::is_taken(tx, &hidden.key_id, &hidden.fingerprint)? {
                return Err(taken());
            }
            let client = clients::sql::hold(tx, tenant, &reference)?;
            if client.fields.dual_auth {
                let detail =
                    "This client asks for dual authentication, and an imported key has no second secret. Import it for another client.";
                return Err(Error::conflict("client_needs_dual_auth", detail));
            }
            let key = access.settle(key, &client);
            restrictions::check_grant(&caller, &access.blueprint, &access.tiers(), &client, &key)?;
            sql::insert(tx, &key, &hidden)?;
            tx.audit("key.import", key.id)?;
            tx.notify(keys::IMPORT_TOPIC, key.id);
            let now = tx.now();
            Ok(access.show_key(key, client.fields.scopes.as_deref(), now))
        });
        outcome.await.map_err(|error| if store::is_unique_violation(&error) { taken().caused_by(error) } else { error })
    }
}

/// Whose it is is not said: the operator sees every tenant, but an answer may travel further.
fn taken() -> Error {
    Error::conflict("key_exists", "A key with this hash is there already.").at("/hash", "is taken")
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<ImportKey>,
) -> web::Result<web::Created<Key>> {
    let body = access.import_key(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/api-keys/{}", body.id), body })
}
