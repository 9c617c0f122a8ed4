//! How a request of the Health Source API is signed, and a signature checked.
use crate::crypto::{self, SharedSecret};

/// The header that names who asks.
pub const CLIENT: &str = "x-tuantibu-client";
/// The header with the time of the request, in seconds since the Unix epoch.
pub const TIMESTAMP: &str = "x-tuantibu-timestamp";
/// The header with the signature: `sha256=` and hexadecimal digits.
pub const SIGNATURE: &str = "x-tuantibu-signature";
/// Seconds that the clocks of both sides may be apart.
pub const SKEW_SECONDS: i64 = 300;

const SCHEME: &str = "sha256=";

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The time, as the header has it.
    pub timestamp: &'a str,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Path and query, as the request line has them.
    pub target: &'a str,
    /// The body, empty for `GET`.
    pub body: &'a [u8],
}

/// Why a request is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No signature, or another.
    Signature,
    /// Signed too long ago or ahead.
    Clock,
}

/// The header's value for a request: HMAC-SHA256 over timestamp, method, target and body, with a
/// full stop between each two.
#[must_use]
pub fn sign(secret: &SharedSecret, signed: Signed<'_>) -> String {
    format!("{SCHEME}{}", hex::encode(mac(secret, signed)))
}

/// Checks a signature first and the time then, so that only who knows the secret learns of clocks.
///
/// # Errors
/// [`Refused`] says which.
pub fn verify(
    secret: &SharedSecret,
    signed: Signed<'_>,
    signature: &str,
    now_seconds: i64,
) -> Result<(), Refused> {
    let given = signature
        .strip_prefix(SCHEME)
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or(Refused::Signature)?;
    if !crypto::same(&given, &mac(secret, signed)) {
        return Err(Refused::Signature);
    }
    let at: i64 = signed.timestamp.parse().map_err(|_| Refused::Clock)?;
    if now_seconds.abs_diff(at) > SKEW_SECONDS.unsigned_abs() {
        return Err(Refused::Clock);
    }
    Ok(())
}

fn mac(secret: &SharedSecret, signed: Signed<'_>) -> Vec<u8> {
    secret.mac(&[
        signed.timestamp.as_bytes(),
        signed.method.as_bytes(),
        signed.target.as_bytes(),
        signed.body,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SharedSecret {
        SharedSecret::new(b"0123456789abcdef0123456789abcdef").unwrap()
    }

    const ASKED: Signed<'_> = Signed {
        timestamp: "1668398400",
        method: "POST",
        target: "/v1/match",
        body: b"{}",
    };

    #[test]
    fn a_signature_is_what_another_program_computes() {
        // printf '1668398400.POST./v1/match.{}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        assert_eq!(
            sign(&secret(), ASKED),
            "sha256=c87deb34ae2541f5d7d9d9c1da41f83d343a386d3199724d5ce29c5f1e4f00a8"
        );
    }

    #[test]
    fn a_changed_request_and_another_time_are_refused() {
        let secret = secret();
        let signature = sign(&secret, ASKED);
        let check = |signed, now| verify(&secret, signed, &signature, now);
        assert_eq!(check(ASKED, 1_668_398_400), Ok(()));
        assert_eq!(check(ASKED, 1_668_398_700), Ok(()));
        assert_eq!(check(ASKED, 1_668_398_701), Err(Refused::Clock));
        assert_eq!(check(ASKED, 1_668_398_099), Err(Refused::Clock));
        for changed in [
            Signed {
                method: "GET",
                ..ASKED
            },
            Signed {
                target: "/v1/read",
                ..ASKED
            },
            Signed {
                body: b"{ }",
                ..ASKED
            },
            Signed {
                timestamp: "1668398401",
                ..ASKED
            },
        ] {
            assert_eq!(check(changed, 1_668_398_400), Err(Refused::Signature));
        }
        for none in ["", "sha256=", "sha256=00", "sha1=00"] {
            let outcome = verify(&secret, ASKED, none, 1_668_398_400);
            assert_eq!(outcome, Err(Refused::Signature), "{none}");
        }
    }
}
