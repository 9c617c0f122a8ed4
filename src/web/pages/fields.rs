//! Fields of forms, and what is wrong with them in the reader's words.
use super::words::{Html, Words, rich};
use crate::error::{Error, FieldError};
use askama::Template;
use fluent::FluentValue;

/// The fields of all forms, in the order in which they stand.
const ORDER: [&str; 17] = [
    "organisation",
    "street_code",
    "purpose",
    "contact",
    "administrator_title",
    "departments",
    "ends_on",
    "items",
    "sharing",
    "accepted",
    "label",
    "name",
    "document_type",
    "document_number",
    "phone",
    "birth_date",
    "department",
];

/// What kind of box a field has.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// One line; the type of the input.
    Line(&'static str),
    /// The six digits of an SMS.
    Code,
    /// Several lines.
    Text,
    /// One of a list: value, words.
    Select(Vec<(String, String)>),
}

/// A field: label, hint, error, box.
#[derive(Clone, Template)]
#[template(path = "field.html")]
pub(super) struct Field<'a> {
    words: Words<'a>,
    /// The id, to which the summary of errors leads.
    pub(super) id: String,
    name: String,
    label: String,
    hint: String,
    optional: bool,
    error: String,
    value: String,
    kind: Kind,
    autocomplete: &'static str,
    inputmode: &'static str,
    most: usize,
}

impl<'a> Field<'a> {
    /// A field whose label is the text `field-NAME`, and its hint `field-NAME-hint`, if there is one.
    pub(super) fn new(words: Words<'a>, name: &str, kind: Kind) -> Self {
        let key = format!("field-{}", name.replace('_', "-"));
        let hint = format!("{key}-hint");
        Self {
            words,
            id: name.replace('.', "-"),
            name: name.to_owned(),
            label: words.t(&key),
            hint: if words.has(&hint) {
                words.t(&hint)
            } else {
                String::new()
            },
            optional: false,
            error: String::new(),
            value: String::new(),
            kind,
            autocomplete: "off",
            inputmode: "",
            most: 0,
        }
    }

    /// One line.
    pub(super) fn line(words: Words<'a>, name: &str) -> Self {
        Self::new(words, name, Kind::Line("text"))
    }

    /// A date: the browser's own box, but plain text where what was typed is none.
    pub(super) fn date(words: Words<'a>, name: &str, value: &str) -> Self {
        let is_date = value.is_empty() || value.parse::<jiff::civil::Date>().is_ok();
        Self::new(
            words,
            name,
            Kind::Line(if is_date { "date" } else { "text" }),
        )
        .value(value)
    }

    /// With another label.
    pub(super) fn label(mut self, label: String) -> Self {
        self.label = label;
        self
    }

    /// With another hint.
    pub(super) fn hint(mut self, hint: String) -> Self {
        self.hint = hint;
        self
    }

    /// With the value that was typed.
    pub(super) fn value(mut self, value: &str) -> Self {
        self.value = value.to_owned();
        self
    }

    /// Which may be left empty.
    pub(super) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// With what browsers may fill in.
    pub(super) fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }

    /// With the keys that a phone offers.
    pub(super) fn keys(mut self, inputmode: &'static str) -> Self {
        self.inputmode = inputmode;
        self
    }

    /// With at most so many characters.
    pub(super) fn most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// With what is wrong, if that is among the problems.
    pub(super) fn checked(mut self, problems: &Problems) -> Self {
        self.error = problems.of(&self.id);
        self
    }

    fn is(&self, value: &str) -> bool {
        self.value == value
    }

    fn described(&self) -> String {
        let mut ids = Vec::new();
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.id));
        }
        if !self.error.is_empty() {
            ids.push(format!("{}-error", self.id));
        }
        ids.join(" ")
    }
}

/// A row to tick or to choose.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) id: String,
    /// `checkbox`, `radio`, or `fixed` for a tick that is drawn.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) value: String,
    pub(super) label: Html,
    /// Whether the label is a sentence.
    pub(super) plain: bool,
    pub(super) tag: String,
    /// Whether the tag is that of something required.
    pub(super) must: bool,
    pub(super) hint: String,
    pub(super) checked: bool,
}

/// A group of rows.
#[derive(Clone, Template)]
#[template(path = "choices.html")]
pub(super) struct Choices<'a> {
    pub(super) words: Words<'a>,
    pub(super) id: String,
    pub(super) legend: String,
    pub(super) hint: String,
    pub(super) error: String,
    pub(super) rows: Vec<Choice>,
}

/// One thing that is wrong.
#[derive(Clone)]
pub(super) struct Wrong {
    /// The field's id.
    pub(super) id: String,
    /// The field's label.
    pub(super) label: String,
    /// What is wrong, in words.
    pub(super) what: String,
}

/// What is wrong with a form: a summary that leads to each field, or a word about the whole.
#[derive(Clone, Template)]
#[template(path = "problems.html")]
pub(super) struct Problems<'a> {
    pub(super) words: Words<'a>,
    pub(super) wrong: Vec<Wrong>,
    /// A word about the whole: its title and its paragraphs.
    pub(super) title: String,
    pub(super) lines: Vec<Html>,
}

impl<'a> Problems<'a> {
    /// Nothing.
    pub(super) fn none(words: Words<'a>) -> Self {
        Self {
            words,
            wrong: Vec::new(),
            title: String::new(),
            lines: Vec::new(),
        }
    }

    /// Those of an error that belongs to a form; `document` is the chosen document's name.
    pub(super) fn of_error(words: Words<'a>, error: &Error, document: &str) -> Self {
        let mut problems = Self::none(words);
        match error {
            Error::Invalid(errors) | Error::ConsentRequired(errors) => {
                for error in errors {
                    problems.add(error, document);
                }
                problems.sort();
            }
            Error::WrongCode { tries_left } => {
                let what = words.t1("error-wrong-code", "tries", *tries_left);
                problems.add_words("code", what);
            }
            error => {
                let (title, lines) = super::failure::texts(words, error);
                problems.title = title;
                problems.lines = lines.iter().map(|line| rich(line)).collect();
            }
        }
        problems
    }

    /// In the order of the page.
    fn sort(&mut self) {
        let place = |wrong: &Wrong| ORDER.iter().position(|id| *id == wrong.id);
        self.wrong
            .sort_by_key(|wrong| place(wrong).unwrap_or(ORDER.len()));
    }

    /// Whether anything is wrong.
    pub(super) fn any(&self) -> bool {
        !self.wrong.is_empty() || !self.title.is_empty()
    }

    /// What is wrong with a field; empty where nothing is.
    pub(super) fn of(&self, id: &str) -> String {
        self.wrong
            .iter()
            .find(|wrong| wrong.id == id)
            .map(|wrong| wrong.what.clone())
            .unwrap_or_default()
    }

    fn add(&mut self, error: &FieldError, document: &str) {
        let id = field_id(&error.field);
        let mut arguments: Vec<(&'static str, FluentValue<'_>)> = error
            .numbers
            .iter()
            .map(|(name, number)| (*name, FluentValue::from(*number)))
            .collect();
        let document = if document.is_empty() {
            self.words.t("document-resident-id")
        } else {
            document.to_owned()
        };
        arguments.push(("document", FluentValue::from(document)));
        let code = error.code.replace('_', "-");
        let name = id.replace('_', "-");
        let keys = [format!("error-{name}-{code}"), format!("error-{code}")];
        let key = keys.iter().find(|key| self.words.has(key));
        let what = self
            .words
            .with(key.map_or("error-other", String::as_str), &arguments);
        self.add_words(&id, what);
    }

    /// Adds what is wrong with a field in words. A field has one error, the first.
    pub(super) fn add_words(&mut self, id: &str, what: String) {
        if self.wrong.iter().any(|wrong| wrong.id == id) {
            return;
        }
        let label = format!("field-{}", id.replace('_', "-"));
        self.wrong.push(Wrong {
            id: id.to_owned(),
            label: self.words.t(&label),
            what,
        });
    }
}

/// The id of the box of a field of the API: `consent.sharing` is `sharing`, `items.0.item` is
/// `items`.
fn field_id(field: &str) -> String {
    let field = field.strip_prefix("consent.").unwrap_or(field);
    match field {
        "version" => "accepted".to_owned(),
        field => field.split('.').next().unwrap_or_default().to_owned(),
    }
}
