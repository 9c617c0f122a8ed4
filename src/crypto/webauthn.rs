//! What a passkey says, held to the rules of W3C Web Authentication (§7.1 and §7.2), without its
//! attestation: nobody here asks which make of authenticator it is.
use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use url::{Host, Url};

/// The signatures that are understood, as COSE numbers them, the first the dearest: ES256, EdDSA
/// and, for Windows, RS256.
pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];

/// The generator of P-256: a key that nobody signs with, so that what is unknown takes as long.
const NOBODY: [u8; 65] = [
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
    0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
    0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
    0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
    0xf5,
];

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const MAY_BE_COPIED: u8 = 1 << 3;
const IS_COPIED: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
/// Hash of the site, flags, count.
const HEAD: usize = 32 + 1 + 4;
const AAGUID: usize = 16;
/// The longest credential id there is.
const LONGEST_ID: usize = 1023;

/// The site that passkeys are made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its domain, which authenticators bind to.
    pub id: String,
    /// Its origin, as browsers name it.
    origin: String,
}

/// What a browser answers when a passkey was made.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// `response.clientDataJSON`
    pub client_data: &'a [u8],
    /// `response.getAuthenticatorData()`
    pub authenticator_data: &'a [u8],
    /// `response.getPublicKey()`: a `SubjectPublicKeyInfo`.
    pub public_key: &'a [u8],
}

/// What a browser answers when a passkey signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// `response.clientDataJSON`
    pub client_data: &'a [u8],
    /// `response.authenticatorData`
    pub authenticator_data: &'a [u8],
    /// `response.signature`
    pub signature: &'a [u8],
}

/// A passkey that was made as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The credential id.
    pub id: Vec<u8>,
    /// The authenticator's count of signatures.
    pub count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// The challenge that an answer is to. Nothing of it is checked yet.
#[must_use]
pub fn challenge_of(client_data: &[u8]) -> Option<String> {
    serde_json::from_slice(client_data)
        .ok()
        .map(|data: ClientData| data.challenge)
}

/// Bytes as browsers and we write them in JSON and forms.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text, if it is one.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

impl Site {
    /// Of the public address; none where browsers make no passkeys for it: an address in numbers,
    /// or one without TLS that is not this very machine.
    #[must_use]
    pub fn of(public_url: &str) -> Option<Self> {
        let url = Url::parse(public_url).ok()?;
        let Some(Host::Domain(domain)) = url.host() else {
            return None;
        };
        let is_safe = url.scheme() == "https" || domain == "localhost";
        is_safe.then(|| Self {
            id: domain.to_owned(),
            origin: url.origin().ascii_serialization(),
        })
    }

    /// What was made, where it is an answer to this challenge for this site, by a person whom the
    /// authenticator verified, with a key that is understood.
    #[must_use]
    pub fn made(&self, challenge: &str, made: &Made<'_>) -> Option<Credential> {
        self.is_client_data(made.client_data, "webauthn.create", challenge)
            .then_some(())?;
        let (flags, count) = self.head(made.authenticator_data)?;
        let attested = made.authenticator_data.get(HEAD + AAGUID..)?;
        let (length, rest) = attested.split_first_chunk::<2>()?;
        let id = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        let fits = flags & ATTESTED != 0 && (16..=LONGEST_ID).contains(&id.len());
        (fits && key(made.public_key).is_some()).then(|| Credential {
            id: id.to_vec(),
            count,
        })
    }

    /// The count of signatures, where this is an answer to the challenge for this site, by a person
    /// whom the authenticator verified, signed by the key; by nobody's without one.
    #[must_use]
    pub fn signed(
        &self,
        challenge: &str,
        signed: &Signed<'_>,
        public_key: Option<&[u8]>,
    ) -> Option<u32> {
        let is_answer = self.is_client_data(signed.client_data, "webauthn.get", challenge);
        let head = self.head(signed.authenticator_data);
        let mut text = signed.authenticator_data.to_vec();
        text.extend_from_slice(digest(&SHA256, signed.client_data).as_ref());
        let is_signed = key(public_key.unwrap_or(&NOBODY))?
            .verify_sig(&text, signed.signature)
            .is_ok();
        let (_, count) = head?;
        (is_answer && is_signed && public_key.is_some()).then_some(count)
    }

    fn is_client_data(&self, client_data: &[u8], kind: &str, challenge: &str) -> bool {
        serde_json::from_slice(client_data).is_ok_and(|data: ClientData| {
            data.kind == kind
                && data.challenge == challenge
                && data.origin == self.origin
                && !data.cross_origin
        })
    }

    /// Flags and count, where they are of this site and of a verified person.
    fn head(&self, data: &[u8]) -> Option<(u8, u32)> {
        let (site, rest) = data.split_first_chunk::<32>()?;
        let (&flags, rest) = rest.split_first()?;
        let (count, _) = rest.split_first_chunk::<4>()?;
        let is_ours = site.as_slice() == digest(&SHA256, self.id.as_bytes()).as_ref();
        let is_verified = flags & (PRESENT | VERIFIED) == PRESENT | VERIFIED;
        let is_sound = flags & IS_COPIED == 0 || flags & MAY_BE_COPIED != 0;
        (is_ours && is_verified && is_sound).then(|| (flags, u32::from_be_bytes(*count)))
    }
}

/// A public key of one of [`ALGORITHMS`]: each takes its own kind of key and no other.
fn key(public_key: &[u8]) -> Option<ParsedPublicKey> {
    let all: [&'static dyn VerificationAlgorithm; 3] = [
        &ECDSA_P256_SHA256_ASN1,
        &ED25519,
        &RSA_PKCS1_2048_8192_SHA256,
    ];
    all.into_iter()
        .find_map(|algorithm| ParsedPublicKey::new(algorithm, public_key).ok())
}
