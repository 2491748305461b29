//! Typed identifiers.
//!
//! Every id of ours is a [TypeID](https://github.com/jetify-com/typeid/tree/main/spec): a lower-case prefix, `_`, and a UUIDv7 as
//! 26 characters of Crockford's base32. They sort by creation time and cannot be mixed up, since each kind is its own type.
//! Ids are names, never secrets: a UUIDv7 tells when it was made.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Length of the encoded UUID.
pub const SUFFIX_LEN: usize = 26;

/// Encodes 128 bits as 26 characters of Crockford's base32, the two top bits of padding first (so the first is at most `7`).
pub fn encode_suffix(uuid: Uuid) -> [u8; SUFFIX_LEN] {
    let mut value = uuid.as_u128();
    let mut out = [b'0'; SUFFIX_LEN];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    out
}

/// Decodes what [`encode_suffix`] made; anything else, upper case included, is `None`.
pub fn decode_suffix(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    if bytes.len() != SUFFIX_LEN || bytes[0] > b'7' {
        return None;
    }
    let mut value: u128 = 0;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|c| c == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

/// What all typed ids have in common.
pub trait TypedId: Copy + Eq + Ord + std::hash::Hash + fmt::Display + FromStr<Err = Error> + Send + Sync + 'static {
    /// The prefix before the underscore.
    const PREFIX: &'static str;
    /// Wraps a UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID inside.
    fn uuid(self) -> Uuid;
    /// The smallest id that could be made at this time: where a list by time begins.
    fn first_at(at: crate::time::Timestamp) -> Self {
        Self::from_uuid(Uuid::from_u128(u128::from(at.millis().max(0).unsigned_abs()) << 80))
    }
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let suffix = encode_suffix(self.0);
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(std::str::from_utf8(&suffix).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode_suffix)
                    .map(Self)
                    .ok_or_else(|| Error::malformed("malformed_id", concat!("An id of this kind looks like ", $prefix, "_01h…")))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .examples([concat!($prefix, "_01k2x3v7m8e1r9q0s5t6w7y8za")])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    };
}

typed_id!(
    /// A tenant: the isolation boundary.
    TenantId, "ten"
);
typed_id!(
    /// An API client: an application of a tenant.
    ClientId, "cli"
);
typed_id!(
    /// An API key, as it is named in paths.
    KeyId, "key"
);
typed_id!(
    /// A service key: the operator's credential for a host backend.
    ServiceKeyId, "svc"
);
typed_id!(
    /// A person's remembered consent: which scopes of a tenant an application may have.
    ConsentId, "cns"
);
typed_id!(
    /// What an authorization turned into: the family of tokens that come of one consent, until it is revoked.
    GrantId, "grt"
);
typed_id!(
    /// A person who signs in.
    UserId, "usr"
);
typed_id!(
    /// A person's session: one signed-in browser.
    SessionId, "ses"
);
typed_id!(
    /// An invitation into a tenant.
    InvitationId, "inv"
);
typed_id!(
    /// A person's passkey.
    PasskeyId, "psk"
);
typed_id!(
    /// A record of a declared resource type.
    RecordId, "rec"
);
typed_id!(
    /// Where deliveries go: a webhook, or later another channel's destination.
    DestinationId, "wh"
);
typed_id!(
    /// One event for one destination.
    DeliveryId, "dlv"
);
typed_id!(
    /// One try of a delivery.
    AttemptId, "att"
);
typed_id!(
    /// An inbound webhook address.
    SourceId, "src"
);
typed_id!(
    /// A call that a source refused and kept.
    CallId, "cal"
);
typed_id!(
    /// A run that repairs many deliveries.
    ReplayId, "rpl"
);
typed_id!(
    /// A run that erases what events say.
    ExpungeId, "exp"
);
typed_id!(
    /// A REST endpoint that a tenant declared at run time.
    RestEndpointId, "rep"
);
typed_id!(
    /// An alert.
    AlertId, "alr"
);
typed_id!(
    /// A job: work that takes longer than a request.
    JobId, "job"
);
typed_id!(
    /// What starts jobs again and again.
    JobScheduleId, "jsc"
);
typed_id!(
    /// A tenant's connection to a connector.
    IntegrationId, "int"
);
typed_id!(
    /// Tokens that we hold at a vendor for a tenant.
    OauthTokenId, "otk"
);
typed_id!(
    /// A connection to a vendor that somebody has begun and not finished yet.
    OauthConnectionId, "ocn"
);
typed_id!(
    /// A configured flow between a resource type and a vendor's object.
    SyncConfigId, "syn"
);
typed_id!(
    /// One execution of a sync.
    SyncRunId, "run"
);
typed_id!(
    /// A field that both sides changed differently.
    ConflictId, "cfl"
);
typed_id!(
    /// A row of the audit log.
    AuditId, "aud"
);
typed_id!(
    /// One HTTP request.
    RequestId, "req"
);
typed_id!(
    /// One life of one server process.
    NodeId, "nod"
);

/// The id of an event: ours (`evt_…`) or the host's choice. At most 128 characters of `[A-Za-z0-9_:-]`, unique per tenant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Arc<str>);

impl EventId {
    /// Longest id in characters.
    pub const MAX_LEN: usize = 128;

    /// An id of our own making.
    pub fn from_uuid(uuid: Uuid) -> Self {
        let suffix = encode_suffix(uuid);
        let mut text = String::with_capacity(4 + SUFFIX_LEN);
        text.push_str("evt_");
        text.extend(suffix.iter().map(|b| char::from(*b)));
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-');
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(fits) {
            return Err(Error::invalid("invalid_event_id", "An event id has 1 to 128 characters of A-Z a-z 0-9 _ : -")
                .at("/id", "must match [A-Za-z0-9_:-]{1,128}"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for EventId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Za-z0-9_:-]{1,128}$"))
            .into()
    }
}

impl utoipa::ToSchema for EventId {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("EventId")
    }
}

/// How a path names a thing: by our id, or as `ext:<externalId>` by the id that the host gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdRef<I> {
    /// Our own id.
    Id(I),
    /// The host's id.
    External(String),
}

impl<I: TypedId> FromStr for IdRef<I> {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("ext:") {
            Some(external) => Ok(Self::External(crate::text::external_id(external)?)),
            None => text.parse().map(Self::Id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn agrees_with_the_typeid_specification() {
        // Vectors from the TypeID specification's valid.yml.
        for (suffix, uuid) in [
            ("00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
            ("00000000000000000000000001", "00000000-0000-0000-0000-000000000001"),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ] {
            let uuid: Uuid = uuid.parse().unwrap();
            assert_eq!(encode_suffix(uuid), suffix.as_bytes());
            assert_eq!(decode_suffix(suffix), Some(uuid));
        }
    }

    #[test]
    fn the_first_id_of_a_time_is_the_smallest() {
        use crate::time::Timestamp;
        let ambient = crate::Ambient::system();
        let (id, now) = (ambient.id::<TenantId>(), ambient.now());
        let text = |at: Timestamp| TenantId::first_at(at).to_string();
        assert!(text(Timestamp::from_millis(now.millis() - 1000)) < id.to_string());
        assert!(text(Timestamp::from_millis(now.millis() + 1000)) > id.to_string());
        assert_eq!(TenantId::first_at(Timestamp::from_millis(-5)), TenantId::from_uuid(Uuid::nil()));
    }

    #[test]
    fn refuses_other_spellings() {
        for bad in ["8zzzzzzzzzzzzzzzzzzzzzzzzz", "01H455VB4PEX5VSKNK084SN02Q", "01h455vb4pex5vsknk084sn02", "01h455vb4pex5vsknk084sn0l2"] {
            assert_eq!(decode_suffix(bad), None, "{bad}");
        }
        assert!("cli_01h455vb4pex5vsknk084sn02q".parse::<TenantId>().is_err());
    }

    proptest! {
        #[test]
        fn round_trips(bits: u128) {
            let id = TenantId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse::<TenantId>().unwrap(), id);
        }

        #[test]
        fn never_panics_on_any_text(text in ".{0,200}") {
            let _ = text.parse::<TenantId>();
            let _ = text.parse::<EventId>();
            let _ = text.parse::<IdRef<RecordId>>();
        }
    }
}
