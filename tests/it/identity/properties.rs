//! What holds for any input.

use proptest::prelude::*;
use proptest::sample::select;
use tuantibu::model::code::parse_sms_code;
use tuantibu::model::contact::Contact;
use tuantibu::model::document::{Document, DocumentType};
use tuantibu::model::mask::{mask_document, mask_name, mask_phone};
use tuantibu::model::name::Name;
use tuantibu::model::phone::{Phone, Regions};
use tuantibu::model::text::Line;

use super::today;

/// The check character by the weights that GB 11643-1999 prints, another way than the code's.
fn with_check(body: &str) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .bytes()
        .zip(WEIGHTS)
        .map(|(b, weight)| u32::from(b - b'0') * weight)
        .sum();
    format!(
        "{body}{}",
        ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum as usize % 11]
    )
}

/// Valid numbers of area 110100.
fn resident() -> impl Strategy<Value = String> {
    (1880..=2025_i32, 1..=12, 1..=28, 0..1000).prop_map(|(year, month, day, sequence)| {
        with_check(&format!("110100{year}{month:02}{day:02}{sequence:03}"))
    })
}

/// How somebody might type one character: its width, its case, what stands before it.
fn typed(text: String) -> impl Strategy<Value = String> {
    let before = select(vec!["", "", "", " ", "\u{3000}", "\u{A0}", "-", "  "]);
    let each = (before, any::<bool>(), any::<bool>());
    proptest::collection::vec(each, text.len()).prop_map(move |ways| {
        let mut out = String::new();
        for (c, (before, wide, small)) in text.chars().zip(ways) {
            let c = if small { c.to_ascii_lowercase() } else { c };
            let wide = char::from_u32(u32::from(c) + 0xFEE0).filter(|_| wide);
            out.push_str(before);
            out.push(wide.unwrap_or(c));
        }
        out
    })
}

/// Text of the characters that these fields meet, besides any others.
fn text() -> impl Strategy<Value = String> {
    let odd = "[a-zA-Z0-9ａ-ｚＡ-Ｚ０-９一-龥·•‧・･∙⋅．.。｡,， \u{3000}\u{A0}\u{E800}-\u{E870}\
               \u{300}-\u{310}\u{20000}-\u{20010}ßıİſﬁǆﾞ<>='+@()（）-]{0,30}";
    prop_oneof![any::<String>(), odd]
}

fn parse(kind: DocumentType, typed: &str) -> Option<Document> {
    Document::parse(kind, typed, today()).ok()
}

/// The characters of `mask` that are not stars.
fn shown(mask: &str) -> usize {
    mask.chars().filter(|&c| c != '*').count()
}

proptest! {
    #[test]
    fn a_valid_number_survives_spacing_width_and_case(
        (number, typed) in resident().prop_flat_map(|n| (Just(n.clone()), typed(n))),
    ) {
        let document = parse(DocumentType::ResidentId, &typed);
        prop_assert_eq!(document.as_ref().map(Document::number), Some(number.as_str()));
    }

    #[test]
    fn a_changed_character_is_refused(number in resident(), other in select(b"0123456789X".to_vec())) {
        for at in 0..number.len() {
            let mut chars: Vec<char> = number.chars().collect();
            let was = std::mem::replace(&mut chars[at], char::from(other));
            let document = parse(DocumentType::ResidentId, &String::from_iter(chars));
            prop_assert_eq!(document.is_some(), was == char::from(other), "character {}", at);
        }
    }

    #[test]
    fn neighbours_that_changed_places_are_refused(number in resident()) {
        for at in 1..number.len() {
            let mut chars: Vec<char> = number.chars().collect();
            chars.swap(at - 1, at);
            let equal = chars[at - 1] == chars[at];
            let document = parse(DocumentType::ResidentId, &String::from_iter(chars));
            prop_assert_eq!(document.is_some(), equal, "characters {} and {}", at - 1, at);
        }
    }

    #[test]
    fn fifteen_digits_are_kept_in_the_eighteen(
        month in 1..=12, day in 1..=28, year in 0..100, sequence in 0..1000,
    ) {
        let old = format!("110100{year:02}{month:02}{day:02}{sequence:03}");
        let century = if sequence >= 996 { "18" } else { "19" };
        let new = with_check(&format!("{}{century}{}", &old[..6], &old[6..]));
        let document = parse(DocumentType::ResidentId, &old);
        prop_assert_eq!(document.as_ref().map(Document::number), Some(new.as_str()));
    }

    #[test]
    fn nothing_panics_and_normal_forms_are_stable(typed in text()) {
        for kind in DocumentType::ALL {
            if let Some(document) = parse(kind, &typed) {
                let again = parse(kind, document.number());
                prop_assert_eq!(again.as_ref(), Some(&document));
            }
        }
        if let Ok(name) = Name::parse(&typed) {
            let again = Name::parse(name.as_str());
            prop_assert_eq!(again.as_ref().map(Name::as_str), Ok(name.as_str()));
            let key = Name::parse(name.key());
            prop_assert_eq!(key.as_ref().map(Name::key), Ok(name.key()));
            prop_assert_eq!(key, Ok(name));
        }
        if let Ok(line) = Line::parse(&typed, 50) {
            prop_assert_eq!(Line::parse(line.as_str(), 50), Ok(line));
        }
        if let Ok(contact) = Contact::parse(&typed) {
            prop_assert_eq!(Contact::parse(contact.as_str()), Ok(contact));
        }
        for regions in [Regions::mainland(), Regions::with(["HK", "US", "DE"]).unwrap()] {
            if let Ok(phone) = Phone::parse(&typed, &regions) {
                prop_assert_eq!(Phone::parse(phone.e164(), &regions), Ok(phone));
            }
        }
        if let Some(code) = parse_sms_code(&typed) {
            prop_assert!(code.as_bytes().iter().all(u8::is_ascii_digit));
        }
    }

    #[test]
    fn digits_and_signs_never_make_a_phone_panic(typed in "[+0-9０-９ ()-]{0,25}") {
        let regions = Regions::with(["HK", "US", "DE", "IT", "SG"]).unwrap();
        if let Ok(phone) = Phone::parse(&typed, &regions) {
            prop_assert!(phone.e164().len() <= 16);
            prop_assert_eq!(Phone::parse(phone.e164(), &regions), Ok(phone));
        }
    }

    #[test]
    fn a_key_knows_no_dot_width_case_or_outer_space(
        han in "[一-龥]{1,8}", more in "[一-龥]{1,8}", latin in "[a-zA-Z]{1,12}",
        dot in select("·•‧・･∙⋅．.。｡﹒".chars().collect::<Vec<_>>()),
        space in select(vec!["", " ", "\u{3000}", "\u{2003} "]),
        comma in select(vec![" ", ", ", ",", "，", " , ", "\u{A0}\u{3000}"]),
    ) {
        let plain = Name::parse(&format!("{han}·{more}"));
        prop_assert_eq!(Name::parse(&format!("{space}{han}{dot}{more}{space}")), plain.clone());
        prop_assert_ne!(Name::parse(&format!("{han}{more}")), plain);
        let wide: String = latin.chars().filter_map(|c| char::from_u32(c as u32 + 0xFEE0)).collect();
        let plain = Name::parse(&format!("{latin} x"));
        prop_assert_eq!(&Name::parse(&format!("{space}{wide}{comma}Ｘ")), &plain);
        prop_assert_eq!(Name::parse(&format!("{}{comma}X", latin.to_uppercase())), plain);
    }

    #[test]
    fn masks_never_show_more_than_allowed(text in "[A-Z0-9]{0,30}", name in text()) {
        let mask = mask_document(&text);
        let most = if text.len() < 18 { 2 } else { 5 };
        prop_assert_eq!(mask.len(), text.len());
        prop_assert!(shown(&mask) <= most && shown(&mask) * 2 <= text.len());

        let mask = mask_phone(&text);
        prop_assert_eq!(mask.len(), text.len());
        prop_assert!(shown(&mask) <= 7 && text.len() - shown(&mask) >= text.len().min(4));
        prop_assert!(text.starts_with(mask.split('*').next().unwrap_or_default()));

        if let Ok(name) = Name::parse(&name) {
            let mask = name.masked();
            let letters = |text: &str| text.chars().filter(|&c| c != '*' && c != ' ').count();
            prop_assert_eq!(mask.chars().count(), name.as_str().chars().count());
            prop_assert!(letters(&mask) <= 2, "{}", mask);
            prop_assert!(letters(&mask) < letters(name.as_str()).max(1), "{}", mask);
            prop_assert_eq!(mask_name(name.as_str()), mask);
        }
    }
}
