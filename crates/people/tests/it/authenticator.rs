//! An authenticator of passkeys, in software: what a browser and a device would answer to a server's options, and whatever a hostile one would.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coset::cbor::Value as Cbor;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The flags of the authenticator data (W3C Web Authentication §6.1).
pub(crate) const USER_PRESENT: u8 = 0x01;
/// The device made sure of the person.
pub(crate) const USER_VERIFIED: u8 = 0x04;
/// The passkey may be copied to other devices.
pub(crate) const BACKUP_ELIGIBLE: u8 = 0x08;
/// It was.
pub(crate) const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;

/// What kind of key it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// Ed25519.
    Edwards,
    /// P-256.
    Elliptic,
    /// RSA with 2048 bits.
    Rsa,
}

enum Key {
    Edwards(Ed25519KeyPair),
    Elliptic(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A device with one passkey, in a browser. Whatever it says can be changed.
pub(crate) struct Authenticator {
    key: Key,
    /// The passkey's id.
    pub(crate) id: Vec<u8>,
    /// The page's origin, as the browser says.
    pub(crate) origin: String,
    /// The relying party that it signs for.
    pub(crate) party: String,
    /// Whether the page is in a frame of another origin.
    pub(crate) cross_origin: bool,
    /// What it says of the person and of itself.
    pub(crate) flags: u8,
    /// How often it says that it has signed; it goes on by itself unless it is zero.
    pub(crate) counter: u32,
    /// Whose the passkey is.
    pub(crate) user_handle: Vec<u8>,
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn int(number: i64) -> Cbor {
    Cbor::Integer(number.into())
}

fn written(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    coset::cbor::ser::into_writer(value, &mut bytes).expect("memory can be written");
    bytes
}

impl Authenticator {
    /// At a page of `origin`, for the relying party of its host's name.
    pub(crate) fn new(kind: KeyKind, origin: &str) -> Self {
        let random = SystemRandom::new();
        let key = match kind {
            KeyKind::Edwards => Key::Edwards(Ed25519KeyPair::generate().expect("a key can be made")),
            KeyKind::Elliptic => Key::Elliptic(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key can be made")),
            KeyKind::Rsa => Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key can be made")),
        };
        let mut id = vec![0; 32];
        aws_lc_rs::rand::SecureRandom::fill(&random, &mut id).expect("there is chance");
        let host = origin.split("://").nth(1).unwrap_or(origin);
        let party = host.split(':').next().unwrap_or(host).to_owned();
        let flags = USER_PRESENT | USER_VERIFIED;
        Self { key, id, origin: origin.to_owned(), party, cross_origin: false, flags, counter: 0, user_handle: Vec::new() }
    }

    /// The public key as COSE.
    pub(crate) fn cose(&self) -> Vec<u8> {
        let members = match &self.key {
            Key::Edwards(pair) => {
                vec![(1, int(1)), (3, int(-8)), (-1, int(6)), (-2, Cbor::Bytes(pair.public_key().as_ref().to_vec()))]
            }
            Key::Elliptic(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (point[1..33].to_vec(), point[33..65].to_vec());
                vec![(1, int(2)), (3, int(-7)), (-1, int(1)), (-2, Cbor::Bytes(x)), (-3, Cbor::Bytes(y))]
            }
            Key::Rsa(pair) => {
                let public = pair.public_key();
                let n = public.modulus().big_endian_without_leading_zero().to_vec();
                let e = public.exponent().big_endian_without_leading_zero().to_vec();
                vec![(1, int(3)), (3, int(-257)), (-1, Cbor::Bytes(n)), (-2, Cbor::Bytes(e))]
            }
        };
        written(&Cbor::Map(members.into_iter().map(|(label, value)| (int(label), value)).collect()))
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let data = json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin});
        data.to_string().into_bytes()
    }

    fn data(&mut self, flags: u8) -> Vec<u8> {
        if self.counter > 0 {
            self.counter += 1;
        }
        let mut data = Sha256::digest(self.party.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The authenticator data of a new passkey with this key.
    pub(crate) fn new_data(&mut self, cose: &[u8]) -> Vec<u8> {
        let mut data = self.data(self.flags | HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).expect("an id is short").to_be_bytes());
        data.extend(&self.id);
        data.extend(cose);
        data
    }

    /// Answers the options for a new passkey.
    pub(crate) fn register(&mut self, options: &Value) -> Value {
        let cose = self.cose();
        let data = self.new_data(&cose);
        self.register_with(options, data)
    }

    /// The same with other authenticator data.
    pub(crate) fn register_with(&mut self, options: &Value, data: Vec<u8>) -> Value {
        self.user_handle = URL_SAFE_NO_PAD.decode(options["user"]["id"].as_str().unwrap_or_default()).unwrap_or_default();
        let member = |name: &str, value| (Cbor::Text(name.to_owned()), value);
        let object = Cbor::Map(vec![
            member("fmt", Cbor::Text("none".to_owned())),
            member("attStmt", Cbor::Map(Vec::new())),
            member("authData", Cbor::Bytes(data)),
        ]);
        let client = self.client_data("webauthn.create", options["challenge"].as_str().unwrap_or_default());
        json!({
            "id": text(&self.id),
            "rawId": text(&self.id),
            "type": "public-key",
            "response": {"clientDataJSON": text(client), "attestationObject": text(written(&object)), "transports": ["internal"]},
            "clientExtensionResults": {},
        })
    }

    /// Answers the options for signing in.
    pub(crate) fn sign(&mut self, options: &Value) -> Value {
        let data = self.data(self.flags);
        let client = self.client_data("webauthn.get", options["challenge"].as_str().unwrap_or_default());
        let message = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature = self.signature(&message);
        json!({
            "id": text(&self.id),
            "rawId": text(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature),
                "userHandle": text(&self.user_handle),
            },
            "clientExtensionResults": {},
        })
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Edwards(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Elliptic(pair) => pair.sign(&random, message).expect("a key signs").as_ref().to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a key signs");
                signature
            }
        }
    }
}
