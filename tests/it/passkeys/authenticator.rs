//! An authenticator and its browser, in software: what they would answer, and anything else.
use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The site of the tests.
pub(crate) const SITE: &str = "register.example";
pub(crate) const ORIGIN: &str = "https://register.example";
/// Present and verified.
pub(crate) const VERIFIED: u8 = 0b101;
/// With a credential in it.
pub(crate) const ATTESTED: u8 = 0b100_0000;

enum Key {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A device draws by itself: its randomness is none of the program's.
#[expect(
    clippy::disallowed_methods,
    reason = "an authenticator is another machine"
)]
fn random() -> SystemRandom {
    SystemRandom::new()
}

/// A passkey in somebody's device.
pub(crate) struct Passkey {
    key: Key,
    pub(crate) id: Vec<u8>,
    /// The user handle, as the server gave it.
    pub(crate) user: String,
    pub(crate) count: u32,
}

/// What a browser and an authenticator say, before it is signed: the tests change it.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) kind: &'static str,
    pub(crate) challenge: String,
    pub(crate) origin: &'static str,
    pub(crate) cross: bool,
    pub(crate) site: &'static str,
    pub(crate) flags: u8,
}

impl Said {
    fn new(kind: &'static str, asked: &Value) -> Self {
        assert_eq!(asked["rp_id"], SITE);
        Self {
            kind,
            challenge: asked["challenge"].as_str().unwrap().to_owned(),
            origin: ORIGIN,
            cross: false,
            site: SITE,
            flags: VERIFIED,
        }
    }

    fn client_data(&self) -> Vec<u8> {
        let said = json!({
            "type": self.kind, "challenge": self.challenge, "origin": self.origin,
            "crossOrigin": self.cross, "other": "what browsers add",
        });
        serde_json::to_vec(&said).unwrap()
    }

    fn head(&self, count: u32) -> Vec<u8> {
        let mut head = digest(&SHA256, self.site.as_bytes()).as_ref().to_vec();
        head.push(self.flags);
        head.extend(count.to_be_bytes());
        head
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Passkey {
    pub(crate) fn new() -> Self {
        Self::with(Key::P256(
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
        ))
    }

    /// As Windows makes them.
    pub(crate) fn of_rsa() -> Self {
        Self::with(Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub(crate) fn of_ed25519() -> Self {
        Self::with(Key::Ed25519(Ed25519KeyPair::generate().unwrap()))
    }

    fn with(key: Key) -> Self {
        let mut id = vec![0; 32];
        aws_lc_rs::rand::SecureRandom::fill(&random(), &mut id).unwrap();
        Self {
            key,
            id,
            user: String::new(),
            count: 0,
        }
    }

    fn public_key(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match &self.key {
            Key::P256(pair) => pair.public_key().as_der().unwrap(),
            Key::Ed25519(pair) => pair.public_key().as_der().unwrap(),
            Key::Rsa(pair) => pair.public_key().as_der().unwrap(),
        };
        der.as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::P256(pair) => pair.sign(&random(), message).unwrap().as_ref().to_vec(),
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random(), message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// What `create` answers, changed.
    pub(crate) fn made_with(&mut self, asked: &Value, change: impl FnOnce(&mut Said)) -> Value {
        let mut said = Said::new("webauthn.create", asked);
        said.flags |= ATTESTED;
        change(&mut said);
        self.user = asked["user_id"].as_str().unwrap().to_owned();
        let mut data = said.head(self.count);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // The key in COSE's form, which nobody reads: a SubjectPublicKeyInfo comes beside it.
        data.extend([0xa0]);
        json!({
            "label": "办公室电脑",
            "client_data": text(&said.client_data()),
            "authenticator_data": text(&data),
            "public_key": text(&self.public_key()),
        })
    }

    pub(crate) fn made(&mut self, asked: &Value) -> Value {
        self.made_with(asked, |_| {})
    }

    /// What `get` answers, changed before it is signed.
    pub(crate) fn shown_with(&mut self, asked: &Value, change: impl FnOnce(&mut Said)) -> Value {
        let mut said = Said::new("webauthn.get", asked);
        change(&mut said);
        let client_data = said.client_data();
        let data = said.head(self.count);
        let mut message = data.clone();
        message.extend(digest(&SHA256, &client_data).as_ref());
        json!({
            "id": text(&self.id),
            "user_id": self.user,
            "client_data": text(&client_data),
            "authenticator_data": text(&data),
            "signature": text(&self.sign(&message)),
        })
    }

    /// What `get` answers, with one more signature counted.
    pub(crate) fn shown(&mut self, asked: &Value) -> Value {
        self.count += 1;
        self.shown_with(asked, |_| {})
    }
}
