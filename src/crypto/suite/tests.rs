//! The published vectors of the SM suite. Each was compared, digit by digit, with what other
//! programs' tests quote from the same place.
use super::*;
use sm3::Digest;
use sm4::cipher::BlockCipherEncrypt;

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn hmac_sm3(key: &[u8], text: &[u8]) -> Vec<u8> {
    use ::hmac::Mac;
    let mut mac = HmacSm3::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// GB/T 32905-2016 (GM/T 0004-2012), appendix A.1 and A.2; quoted so by the tests of Odin's and
/// GmSSL's libraries.
#[test]
fn sm3_gives_the_hashes_of_its_standard() {
    for (text, hash) in [
        (
            b"abc".to_vec(),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
        ),
        (
            b"abcd".repeat(16),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
        ),
    ] {
        assert_eq!(Sm3::digest(&text).to_vec(), bytes(hash));
    }
}

/// GB/T 32907-2016 (GM/T 0002-2012), appendix A, examples 1 and 2; quoted so by Bouncy Castle's
/// `SM4Test`.
#[test]
fn sm4_gives_the_blocks_of_its_standard() {
    let key = bytes("0123456789abcdeffedcba9876543210");
    let cipher = Sm4::new_from_slice(&key).unwrap();
    let mut block = [0; 16];
    block.copy_from_slice(&key);
    let mut block = block.into();
    cipher.encrypt_block(&mut block);
    assert_eq!(block.to_vec(), bytes("681edf34d206965e86b3e94f536e4246"));
    for _ in 1..1_000_000 {
        cipher.encrypt_block(&mut block);
    }
    assert_eq!(block.to_vec(), bytes("595298c7c6fd271f0402f804c33d3f66"));
}

/// RFC 8998, appendix A.1; quoted so by Nettle's `gcm-test`, Tongsuo's examples and GmSSL's `sm4_gcmtest`.
#[test]
fn sm4_gcm_seals_and_opens_the_text_of_rfc_8998() {
    let mut secret = [0; 32];
    secret[..16].copy_from_slice(&bytes("0123456789ABCDEFFEDCBA9876543210"));
    let key = SealingKey::new(Suite::Sm, &secret);
    let nonce: [u8; NONCE] = bytes("00001234567800000000ABCD").try_into().unwrap();
    let bound = bytes("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
    let plain = bytes(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD
         EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA",
    );
    let mut text = plain.clone();
    let tag = key.seal(nonce, &bound, &mut text);
    assert_eq!(
        text,
        bytes(
            "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735
             D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        )
    );
    assert_eq!(tag.to_vec(), bytes("83DE3541E4C2B58177E065A9BF7B62EC"));
    text.extend_from_slice(&tag);
    assert_eq!(*key.open(nonce, &bound, &text).unwrap(), plain);
    text[0] ^= 1;
    assert!(key.open(nonce, &bound, &text).is_err());
}

/// GM/T 0042-2015, appendix D.3; quoted so by Linux's `hmac_sm3_tv_template`.
#[test]
fn hmac_sm3_gives_the_published_macs() {
    let twice = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".repeat(2);
    let counting = |last: u8| (1..=last).collect::<Vec<u8>>();
    for (key, text, mac) in [
        (
            counting(32),
            twice,
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
        ),
        (
            counting(37),
            vec![0xcd; 50],
            "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae",
        ),
        (
            vec![0x0b; 32],
            b"Hi There".to_vec(),
            "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e",
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882",
        ),
    ] {
        assert_eq!(hmac_sm3(&key, &text), bytes(mac));
    }
}

/// RFC 5869 over HMAC-SM3, step by step.
#[test]
fn hkdf_sm3_is_rfc_5869_over_hmac_sm3() {
    let prk = hmac_sm3(b"salt", b"secret");
    let mut out = [0; 32];
    hkdf_sm3::Prk::extract(b"salt", b"secret").expand(&[b"in", b"fo"], &mut out);
    assert_eq!(out.to_vec(), hmac_sm3(&prk, b"info\x01"));
}

#[test]
fn keyed_hashes_are_hmac_over_length_prefixed_parts() {
    let prefixed = b"\x01\0\0\0\0\0\0\0a\x02\0\0\0\0\0\0\0bc";
    let sm = MacKey::new(Suite::Sm, b"key").mac(&[b"a", b"bc"]);
    assert_eq!(sm.to_vec(), hmac_sm3(b"key", prefixed));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
    let sha = MacKey::new(Suite::Aes, b"key").mac(&[b"a", b"bc"]);
    assert_eq!(&sha, hmac::sign(&key, prefixed).as_ref());
}
