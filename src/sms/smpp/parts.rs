//! A text as the octets of one or more short messages.
use rusmpp::{types::OctetString, values::DataCoding};

/// Septets of one message, each in an octet of its own, and what a header takes of them.
const SEPTETS: (usize, usize) = (160, 7);
/// Octets of one message, and what a header takes of them.
const OCTETS: (usize, usize) = (140, 6);
/// A user data header stands before the text.
const HEADER: u8 = 0x40;

/// GSM 03.38's default alphabet: a character's place is its septet. The escape is no character.
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const ESCAPE: u8 = 0x1b;
/// What follows the escape.
const EXTENSION: [(char, u8); 10] = [
    ('\u{c}', 0x0a),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2f),
    ('[', 0x3c),
    ('~', 0x3d),
    (']', 0x3e),
    ('|', 0x40),
    ('€', 0x65),
];

/// One short message.
#[derive(Debug)]
pub(super) struct Part {
    /// How the octets are read.
    pub(super) coding: DataCoding,
    /// Whether they begin with a header.
    pub(super) esm_class: u8,
    /// The octets.
    pub(super) octets: OctetString<0, 255>,
}

/// GSM's own alphabet where the text keeps to it, UCS-2 elsewhere. `reference` tells the parts of
/// one text from those of others. None where even 255 parts do not hold it.
pub(super) fn of(text: &str, reference: u8) -> Option<Vec<Part>> {
    let gsm: Option<Vec<Vec<u8>>> = text.chars().map(septets).collect();
    let (characters, coding, (most, header)) = match gsm {
        Some(characters) => (characters, DataCoding::McSpecific, SEPTETS),
        None => (text.chars().map(units).collect(), DataCoding::Ucs2, OCTETS),
    };
    let whole = characters.concat();
    if whole.len() <= most {
        let octets = OctetString::from_vec(whole).ok()?;
        let esm_class = 0;
        return Some(vec![Part {
            coding,
            esm_class,
            octets,
        }]);
    }
    // No character is torn: neither an escape from what it escapes, nor a pair of surrogates.
    let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
    for character in characters {
        match parts.last_mut() {
            Some(part) if part.len() + character.len() <= most - header => part.extend(character),
            _ => parts.push(character),
        }
    }
    let count = u8::try_from(parts.len()).ok()?;
    let part = |(number, octets): (u8, Vec<u8>)| {
        // Five octets follow: information element 0, of three octets.
        let header = [5, 0, 3, reference, count, number];
        let octets = [&header[..], &octets].concat();
        Some(Part {
            coding,
            esm_class: HEADER,
            octets: OctetString::from_vec(octets).ok()?,
        })
    };
    (1..=count).zip(parts).map(part).collect()
}

fn septets(character: char) -> Option<Vec<u8>> {
    let place = ALPHABET.chars().position(|there| there == character);
    if let Some(septet) = place.and_then(|place| u8::try_from(place).ok())
        && septet != ESCAPE
    {
        return Some(vec![septet]);
    }
    let (_, septet) = EXTENSION.iter().find(|(there, _)| *there == character)?;
    Some(vec![ESCAPE, *septet])
}

fn units(character: char) -> Vec<u8> {
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units);
    units.iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(part: &Part) -> &[u8] {
        part.octets.as_ref()
    }

    #[test]
    fn a_text_is_gsm_where_it_can_be_and_ucs_2_elsewhere() {
        let parts = of("Code 012345 €", 0).unwrap();
        assert_eq!((parts.len(), parts[0].coding), (1, DataCoding::McSpecific));
        assert_eq!(octets(&parts[0]), b"Code 012345 \x1b\x65");
        let parts = of("验1", 0).unwrap();
        assert_eq!((parts.len(), parts[0].coding), (1, DataCoding::Ucs2));
        assert_eq!(octets(&parts[0]), [0x9a, 0x8c, 0, 0x31]);
        assert_eq!(parts[0].esm_class, 0);
    }

    #[test]
    fn the_alphabet_has_each_septet_once() {
        assert_eq!(ALPHABET.chars().count(), 128);
        for (character, septet) in [
            ('@', 0),
            ('\n', 10),
            ('Δ', 16),
            (' ', 32),
            ('¡', 64),
            ('à', 127),
        ] {
            assert_eq!(septets(character), Some(vec![septet]));
        }
        for letter in ('0'..='9').chain('A'..='Z').chain('a'..='z') {
            assert_eq!(septets(letter), Some(vec![letter as u8]));
        }
        assert_eq!(septets('\u{1b}'), None);
        assert_eq!(septets('`'), None);
    }

    #[test]
    fn no_character_is_torn_between_two_parts() {
        let parts = of(&"€".repeat(81), 0).unwrap();
        assert_eq!(
            octets(&parts[0]).len(),
            6 + 152,
            "an escape stays with its character"
        );
        let parts = of(&format!("{}😀验验验", "验".repeat(66)), 0).unwrap();
        assert_eq!(
            octets(&parts[0]).len(),
            6 + 132,
            "both surrogates are in the next"
        );
        assert_eq!(octets(&parts[1])[6..10], [0xd8, 0x3d, 0xde, 0x00]);
    }

    #[test]
    fn a_long_text_goes_in_parts_with_a_header() {
        for (unit, one, each, bytes) in [("a", 160, 153, 1), ("验", 70, 67, 2)] {
            assert_eq!(of(&unit.repeat(one), 7).unwrap().len(), 1);
            let parts = of(&unit.repeat(one + 1), 7).unwrap();
            assert_eq!(parts.len(), 2);
            assert_eq!(octets(&parts[0]).len(), 6 + each * bytes);
            assert_eq!(octets(&parts[0])[..6], [5, 0, 3, 7, 2, 1]);
            assert_eq!(octets(&parts[1])[..6], [5, 0, 3, 7, 2, 2]);
            assert_eq!(octets(&parts[1]).len(), 6 + (one + 1 - each) * bytes);
            assert!(parts.iter().all(|part| part.esm_class == 0x40));
        }
    }
}
