//! Documents, names, phones, codes, lines of text: the rules of PRODUCT.md.

mod cases;
mod properties;

use jiff::civil::{Date, date};
use tuantibu::model::code::{SmsCode, parse_sms_code};
use tuantibu::model::contact::{Contact, ContactKind};
use tuantibu::model::document::{Document, DocumentError, DocumentType, age};
use tuantibu::model::mask::{mask_document, mask_name, mask_phone};
use tuantibu::model::name::{Name, NameError};
use tuantibu::model::phone::{Phone, PhoneError, Regions};
use tuantibu::model::text::{Line, TextError};

use cases::{CASES, TODAY};

fn today() -> Date {
    date(TODAY.0, TODAY.1, TODAY.2)
}

/// Does what a row's field says with what was typed.
fn run(field: &str, typed: &str, wanted: Result<&str, &str>) -> Result<String, String> {
    if let Some((view, kind)) = document_field(field) {
        let document = Document::parse(kind, typed, today()).map_err(|e| e.code().to_owned())?;
        return Ok(match view {
            "birth" => document
                .birth_date()
                .map_or("none".to_owned(), |birth| birth.to_string()),
            "mask" => document.masked(),
            _ => document.number().to_owned(),
        });
    }
    let name = |typed: &str| Name::parse(typed).map_err(|e| e.code().to_owned());
    let (field, argument) = field.split_once(':').unwrap_or((field, ""));
    match (field, argument) {
        ("name", _) => Ok(name(typed)?.as_str().to_owned()),
        ("key", _) => Ok(name(typed)?.key().to_owned()),
        ("mask", "name") => Ok(name(typed)?.masked()),
        ("same" | "other", _) => {
            let second = wanted.map_err(str::to_owned)?;
            let same = name(typed)? == name(second)?;
            if same == (field == "same") {
                Ok(second.to_owned())
            } else {
                Err(format!("{same}"))
            }
        }
        ("phone", regions) => {
            let regions = Regions::with(regions.split(',').filter(|code| !code.is_empty()))
                .map_err(|e| e.to_string())?;
            let phone = Phone::parse(typed, &regions).map_err(|e| e.code().to_owned())?;
            Ok(phone.e164().to_owned())
        }
        ("mask", "phone") => Phone::parse(typed, &Regions::mainland())
            .map(|phone| phone.masked())
            .map_err(|e| e.code().to_owned()),
        ("sms", _) => parse_sms_code(typed)
            .map(|c| c.as_str().to_owned())
            .ok_or("none".to_owned()),
        ("line", _) => Line::parse(typed, 10)
            .map(Line::into_string)
            .map_err(|e| e.code().to_owned()),
        ("contact", _) => Contact::parse(typed)
            .map(|c| c.as_str().to_owned())
            .map_err(|e| e.code().to_owned()),
        ("dial", _) => {
            let contact = Contact::parse(typed).map_err(|e| e.code().to_owned())?;
            contact.dial().ok_or("none".to_owned())
        }
        _ => Err(format!("no such field: {field}")),
    }
}

/// `birth:passport` is the birth date of a passport; `passport` alone its number.
fn document_field(field: &str) -> Option<(&str, DocumentType)> {
    let (view, kind) = field.split_once(':').unwrap_or(("", field));
    Some((view, kind.parse().ok()?))
}

#[test]
fn each_case_is_answered_as_the_table_says() {
    let mut wrong = Vec::new();
    for &(field, typed, wanted, note) in CASES {
        let got = run(field, typed, wanted);
        if got != wanted.map(str::to_owned).map_err(str::to_owned) {
            wrong.push(format!(
                "{field} {typed:?} ({note}): {got:?}, wanted {wanted:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        CASES.len(),
        wrong.join("\n")
    );
    assert!(CASES.len() >= 120, "the table has {} cases", CASES.len());
    assert!(
        CASES.iter().all(|(.., note)| !note.is_empty()),
        "every case has a note"
    );
}

#[test]
fn errors_carry_what_the_page_says() {
    let resident = |typed| Document::parse(DocumentType::ResidentId, typed, today());
    // 居民身份证是 18 位，现在是 17 位
    let short = Err(DocumentError::Length {
        expected: 18,
        actual: 17,
    });
    assert_eq!(resident("11010019900101001"), short);
    assert_eq!(
        resident("110100 19900101 001"),
        short,
        "spaces do not count"
    );
    assert_eq!(
        Phone::parse("1380000", &Regions::default()),
        Err(PhoneError::Length { actual: 7 })
    );
    assert_eq!(
        Name::parse("张\u{200B}三"),
        Err(NameError::HiddenCharacters { position: 2 })
    );
    assert_eq!(Line::parse("甲乙丙", 2), Err(TextError::TooLong { max: 2 }));
}

#[test]
fn a_name_may_have_a_hundred_characters_of_any_plane() {
    let hundred = "\u{20000}".repeat(100);
    assert_eq!(Name::parse(&hundred).unwrap().as_str(), hundred);
    assert_eq!(
        Name::parse(&format!("{hundred}一")),
        Err(NameError::TooLong { max: 100 })
    );
    let decomposed = "e\u{301}".repeat(100);
    assert_eq!(
        Name::parse(&decomposed).unwrap().as_str(),
        "é".repeat(100),
        "counted after NFC"
    );
}

#[test]
fn megabytes_are_refused() {
    let long = "1".repeat(4 << 20);
    for kind in DocumentType::ALL {
        let max = kind.max_length();
        assert_eq!(
            Document::parse(kind, &long, today()),
            Err(DocumentError::TooLong { max })
        );
    }
    assert_eq!(Name::parse(&long), Err(NameError::TooLong { max: 100 }));
    assert_eq!(Line::parse(&long, 50), Err(TextError::TooLong { max: 50 }));
    assert_eq!(
        Phone::parse(&long, &Regions::default()).unwrap_err().code(),
        "length"
    );
    assert_eq!(Contact::parse(&long).unwrap_err().code(), "too_long");
    assert!(parse_sms_code(&long).is_none());
}

#[test]
fn debug_shows_nothing_personal() {
    let document = Document::parse(DocumentType::Passport, "E00000001", today()).unwrap();
    assert_eq!(format!("{document:?}"), "Document(passport, …)");
    assert_eq!(
        format!("{:?}", Name::parse("李敏敏").unwrap()),
        "Name(3 characters)"
    );
    let phone = Phone::parse("13800000000", &Regions::default()).unwrap();
    assert_eq!(format!("{phone:?}"), "Phone(…)");
    assert_eq!(
        format!("{:?}", parse_sms_code("012345").unwrap()),
        "SmsCode(…)"
    );
    assert_eq!(
        format!("{:?}", Line::parse("甲乙", 9).unwrap()),
        "Line(2 characters)"
    );
    assert_eq!(
        format!("{:?}", Contact::parse("12345").unwrap()),
        "Contact(Phone)"
    );
}

#[test]
fn a_year_is_completed_on_the_birthday() {
    let born = date(2012, 7, 31);
    assert_eq!(age(born, date(2026, 7, 30)), 13, "the day before");
    assert_eq!(age(born, date(2026, 7, 31)), 14, "the day itself");
    assert_eq!(
        age(date(2012, 2, 29), date(2026, 2, 28)),
        13,
        "no 29 February this year"
    );
    assert_eq!(age(date(2012, 2, 29), date(2026, 3, 1)), 14);
    let child = Document::parse(DocumentType::ResidentId, "110100202601010017", today()).unwrap();
    assert_eq!(child.age_on(today()), Some(0));
    let passport = Document::parse(DocumentType::Passport, "E00000001", today()).unwrap();
    assert_eq!(passport.age_on(today()), None, "asked");
}

#[test]
fn document_types_have_one_name_everywhere() {
    for kind in DocumentType::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    assert!("ResidentId".parse::<DocumentType>().is_err());
    assert!("".parse::<DocumentType>().is_err());
}

#[test]
fn documents_of_two_types_are_two() {
    let passport = Document::parse(DocumentType::Passport, "H00000001", today()).unwrap();
    let permit = Document::parse(DocumentType::HkMacaoPermit, "H00000001", today()).unwrap();
    assert_ne!(passport, permit);
    let old = Document::parse(DocumentType::ResidentId, "110100850315010", today()).unwrap();
    let new = Document::parse(DocumentType::ResidentId, "110100198503150105", today()).unwrap();
    assert_eq!(old, new, "15 digits and 18 are one person");
}

#[test]
fn phones_of_other_countries_show_their_code() {
    let regions = Regions::with(["HK"]).unwrap();
    let phone = Phone::parse("+852 5123 4567", &regions).unwrap();
    assert_eq!((phone.national(), phone.is_mainland()), ("51234567", false));
    assert_eq!(phone.masked(), "+8525****567");
    let mainland = Phone::parse("13800000000", &regions).unwrap();
    assert_eq!(
        (mainland.national(), mainland.is_mainland()),
        ("13800000000", true)
    );
    for unknown in ["XX", "hk", "", "China"] {
        assert!(Regions::with([unknown]).is_err(), "{unknown}");
    }
    assert_eq!(Regions::with(["CN"]).unwrap(), Regions::mainland());
}

#[test]
fn codes_are_drawn_with_their_zeros() {
    assert_eq!(SmsCode::from_number(42).unwrap().as_str(), "000042");
    assert_eq!(SmsCode::from_number(999_999).unwrap().as_bytes(), b"999999");
    assert!(SmsCode::from_number(1_000_000).is_none());
}

#[test]
fn contacts_know_their_kind() {
    let email = Contact::parse("office@example.com").unwrap();
    assert_eq!((email.kind(), email.dial()), (ContactKind::Email, None));
}

#[test]
fn masks_hide_short_texts_whole() {
    assert_eq!(mask_document(""), "");
    assert_eq!(mask_document("123"), "***");
    assert_eq!(mask_document("1234"), "1**4");
    assert_eq!(mask_phone("1234"), "****");
    assert_eq!(mask_phone("12345"), "****5");
    assert_eq!(mask_name(""), "");
}
