//! What people type: documents, names, phones, lines of text, codes.
use super::{is_unseen, text_of, today};
use std::sync::OnceLock;
use tuantibu::model::{
    code::parse_sms_code,
    contact::Contact,
    document::{Document, DocumentType},
    id::Id,
    name::{MAX_CHARS, Name},
    phone::{Phone, Regions},
    text::Line,
};

fn shown(mask: &str) -> usize {
    mask.chars().filter(|&c| c != '*' && c != ' ').count()
}

pub(super) fn document(data: &[u8]) {
    let Some(typed) = text_of(data) else { return };
    for kind in DocumentType::ALL {
        let Ok(document) = Document::parse(kind, typed, today()) else {
            continue;
        };
        let number = document.number();
        assert!(number.len() <= usize::from(kind.max_length()));
        assert!(
            number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        );
        assert_eq!(
            Document::parse(kind, number, today()).as_ref(),
            Ok(&document)
        );
        let masked = document.masked();
        let most = if number.len() < 18 { 2 } else { 5 };
        assert_eq!(masked.len(), number.len());
        assert!(shown(&masked) <= most, "{masked}");
        assert!(document.birth_date().is_none_or(|born| born <= today()));
        assert!(!format!("{document:?}").contains(number));
    }
}

pub(super) fn name(data: &[u8]) {
    let Some(typed) = text_of(data) else { return };
    let Ok(name) = Name::parse(typed) else { return };
    let text = name.as_str();
    assert!(!text.chars().any(is_unseen));
    assert!(text.chars().count() <= MAX_CHARS && !name.key().is_empty());
    assert_eq!(Name::parse(text).as_ref().map(Name::as_str), Ok(text));
    // Small letters may be more than the capitals were: the key of a long name is no name to type.
    assert_eq!(Name::stored(name.key()), name, "its key is one with it");
    assert_eq!(Name::stored(text), name);
    let masked = name.masked();
    assert_eq!(masked.chars().count(), text.chars().count());
    assert!(shown(&masked) <= 2, "{masked}");
    assert!(shown(&masked) < shown(text).max(1), "{masked}");
    let count = text.chars().count();
    assert_eq!(format!("{name:?}"), format!("Name({count} characters)"));
}

pub(super) fn phone(data: &[u8]) {
    static REGIONS: OnceLock<[Regions; 2]> = OnceLock::new();
    let Some(typed) = text_of(data) else { return };
    let regions = REGIONS.get_or_init(|| {
        let some = Regions::with(["HK", "MO", "TW", "SG", "US", "DE"]);
        [Regions::mainland(), some.unwrap_or_default()]
    });
    for regions in regions {
        let Ok(phone) = Phone::parse(typed, regions) else {
            continue;
        };
        let (e164, national) = (phone.e164(), phone.national());
        let digits = e164.strip_prefix('+').unwrap_or_default();
        assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(digits.len() <= 15 && e164.ends_with(national));
        assert_eq!(Phone::parse(e164, regions).as_ref(), Ok(&phone));
        assert_eq!(Phone::stored(e164).as_ref(), Some(&phone));
        // A number from elsewhere keeps its calling code.
        let masked = phone.masked();
        let own = &masked[masked.len() - national.len()..];
        assert!(masked.len() == own.len() || e164.starts_with(masked.trim_end_matches(own)));
        assert!(
            shown(own) <= 7 && shown(own) + 4 <= national.len(),
            "{masked}"
        );
        assert!(!format!("{phone:?}").contains(national));
    }
}

pub(super) fn line(data: &[u8]) {
    let Some(typed) = text_of(data) else { return };
    for most in [1, 30, 200] {
        let Ok(line) = Line::parse(typed, most) else {
            continue;
        };
        let text = line.as_str();
        assert!(!text.chars().any(is_unseen) && text.chars().count() <= most);
        assert!(!text.is_empty() && text.trim() == text);
        assert_eq!(Line::parse(text, most).as_ref(), Ok(&line));
    }
    if let Ok(contact) = Contact::parse(typed) {
        assert!(!contact.as_str().chars().any(is_unseen));
        assert_eq!(Contact::parse(contact.as_str()), Ok(contact));
    }
}

pub(super) fn code(data: &[u8]) {
    let Some(typed) = text_of(data) else { return };
    if let Some(code) = parse_sms_code(typed) {
        let digits = code.as_str();
        assert!(digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(
            parse_sms_code(digits).as_ref().map(|code| code.as_str()),
            Some(digits)
        );
        assert!(!format!("{code:?}").contains(digits));
    }
    if let Some(id) = Id::parse(typed) {
        assert_eq!(id.to_string(), typed, "an id is written in one way alone");
        assert_eq!(Id::from_slice(id.bytes()), Some(id));
    }
}
