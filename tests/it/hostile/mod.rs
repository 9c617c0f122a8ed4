//! What must hold whatever comes in. Each target takes any bytes and panics where a promise breaks;
//! `make test` runs them for a while on made-up input, `make fuzz` for long and led by coverage.
mod cells;
mod fhir;
mod import;
mod site;
mod text;

/// A name, what takes the input, and how many inputs `make test` tries.
pub(crate) type Target = (&'static str, fn(&[u8]), u32);

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("document", text::document, 20_000),
    ("name", text::name, 20_000),
    ("phone", text::phone, 10_000),
    ("line", text::line, 20_000),
    ("code", text::code, 40_000),
    ("ndjson", import::ndjson, 20_000),
    ("csv", import::csv, 400),
    ("fhir", fhir::bundles, 400),
    ("sheet", cells::sheet, 400),
    ("sealed", cells::sealed, 4_000),
    ("headers", site::headers, 600),
    ("handles", site::handles, 600),
    ("cursor", site::cursor, 600),
    ("register", site::register, 600),
];

/// The text of an input, where it is one.
fn text_of(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Whether a character is one that nobody sees, or that turns the direction of writing.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The day of the tests.
fn today() -> jiff::civil::Date {
    jiff::civil::date(2022, 11, 14)
}
