//! A text as the octets of one or more short messages.
use rusmpp::{
    extra::{
        concatenation::{Concatenation, Concatenator},
        encoding::{gsm7bit::Gsm7BitUnpacked, ucs2::Ucs2},
    },
    types::OctetString,
    values::DataCoding,
};

/// Septets of one message, and what a header takes of them.
const SEPTETS: (usize, usize) = (160, 7);
/// Octets of one message, and what a header takes of them.
const OCTETS: (usize, usize) = (140, 6);
/// A user data header stands before the text.
const HEADER: u8 = 0x40;

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
/// one text from those of others.
pub(super) fn of(text: &str, reference: u8) -> Option<Vec<Part>> {
    let (whole, coding) = Gsm7BitUnpacked::new()
        .concatenate(text, SEPTETS.0, SEPTETS.1)
        .ok()
        .or_else(|| Ucs2::new().concatenate(text, OCTETS.0, OCTETS.1).ok())?;
    let parts = match whole {
        Concatenation::Single(octets) => {
            let octets = OctetString::from_vec(octets).ok()?;
            let esm_class = 0;
            return Some(vec![Part {
                coding,
                esm_class,
                octets,
            }]);
        }
        Concatenation::Concatenated(parts) => parts,
    };
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
