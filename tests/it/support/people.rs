//! Invented people, whose numbers begin with an area code that is issued to nobody.
use tuantibu::{
    model::{
        document::{Document, DocumentType},
        name::Name,
        phone::{Phone, Regions},
    },
    source::{Ask, Identity},
};

/// A resident identity number with its check digit.
pub(crate) fn resident(n: u32) -> String {
    let digits = format!(
        "11010019{:02}{:02}{:02}{:03}",
        50 + n % 50,
        1 + n / 50 % 12,
        1 + n / 600 % 28,
        n / 16800 % 1000
    );
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits
        .chars()
        .zip(weights)
        .map(|(digit, weight)| digit.to_digit(10).unwrap() * weight)
        .sum();
    let check = "10X98765432".chars().nth((sum % 11) as usize).unwrap();
    format!("{digits}{check}")
}

/// The name of the nth person; no two of the first 400 share one.
pub(crate) fn name(n: u32) -> String {
    let pick = |text: &str, at: u32| {
        let all: Vec<char> = text.chars().collect();
        all[at as usize % all.len()]
    };
    let family = pick("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", n);
    let given = pick("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平", n / 20);
    format!("{family}{given}")
}

/// The phone of the nth person.
pub(crate) fn phone(n: u32) -> String {
    format!("139{n:08}")
}

/// One person as typed.
pub(crate) fn identity(name: &str, number: &str, phone: &str) -> Identity {
    Identity {
        name: Name::parse(name).unwrap(),
        document: document(number),
        phone: Phone::parse(phone, &Regions::default()).unwrap(),
    }
}

/// A resident's document.
pub(crate) fn document(number: &str) -> Document {
    let today = "2022-11-14".parse().unwrap();
    Document::parse(DocumentType::ResidentId, number, today).unwrap()
}

/// Somebody to be read.
pub(crate) fn ask(name: &str, number: &str, items: &[&str]) -> Ask {
    Ask {
        name: Name::parse(name).unwrap(),
        document: document(number),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
    }
}
