//! The random source, handed in so that nothing draws from anywhere else.
use crate::model::id::Id;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// A cryptographically secure source of random bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug)]
pub struct OsRandom(SystemRandom);

impl OsRandom {
    /// The generator.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one source of randomness")]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for OsRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for OsRandom {
    #[expect(clippy::expect_used, reason = "without randomness nothing is safe")]
    fn fill(&self, buffer: &mut [u8]) {
        // cannot fail: a machine whose generator fails must not hand out tokens; stopping is right.
        self.0
            .fill(buffer)
            .expect("the operating system's random generator failed");
    }
}

/// A new identifier.
pub fn id(random: &dyn Random) -> Id {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    Id(bytes)
}

/// A new secret of `bytes` random bytes, as base64url. Tokens of sessions take 32, handles, links
/// and registration codes 16.
pub fn token(random: &dyn Random, bytes: usize) -> Zeroizing<String> {
    let mut secret = Zeroizing::new(vec![0; bytes]);
    random.fill(&mut secret);
    Zeroizing::new(URL_SAFE_NO_PAD.encode(&*secret))
}

/// Six digits, each of the million equally likely, leading zeros kept.
pub fn six_digits(random: &dyn Random) -> Zeroizing<String> {
    // The largest multiple of a million that 32 bits hold: what lies above is drawn again.
    const BOUND: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        let drawn = u32::from_le_bytes(bytes);
        if drawn < BOUND {
            return Zeroizing::new(format!("{:06}", drawn % 1_000_000));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    struct Counting(AtomicU8);
    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            for byte in buffer {
                *byte = self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn codes_have_six_digits_and_the_biased_tail_is_drawn_again() {
        let random = Counting(AtomicU8::new(255));
        // 0xfcfdfeff lies below the bound only if it is under 4_294_000_000; it is drawn anew or used.
        for _ in 0..100 {
            let code = six_digits(&random);
            assert_eq!(code.len(), 6);
            assert!(code.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
}
