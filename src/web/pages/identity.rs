//! The part of a form that asks who somebody is.
use super::{
    fields::{Field, Kind, Problems},
    form::Form,
    words::Words,
};
use crate::actions::profile::TypedIdentity;

/// The documents to choose from. Cards that share the form of the resident's have a name of their
/// own and the same code: what stands behind the colon is dropped.
const DOCUMENTS: [(&str, &str); 7] = [
    ("resident_id", "document-resident-id"),
    ("resident_id:hmt", "document-residence-permit"),
    ("resident_id:foreign", "document-foreign-resident-id"),
    (
        "foreign_permanent_resident",
        "document-foreign-permanent-resident",
    ),
    ("hk_macao_permit", "document-hk-macao-permit"),
    ("taiwan_permit", "document-taiwan-permit"),
    ("passport", "document-passport"),
];

/// Name, document and phone.
pub(super) struct IdentityFields<'a> {
    pub(super) name: Field<'a>,
    pub(super) document_type: Field<'a>,
    pub(super) document_number: Field<'a>,
    pub(super) phone: Field<'a>,
}

impl<'a> IdentityFields<'a> {
    /// The fields with what was typed and what is wrong with it.
    pub(super) fn new(words: Words<'a>, form: &Form, problems: &Problems<'_>) -> Self {
        let options = DOCUMENTS
            .iter()
            .map(|(value, key)| ((*value).to_owned(), words.t(key)))
            .collect();
        Self {
            name: Field::line(words, "name")
                .value(form.get("name"))
                .autocomplete("name")
                .checked(problems),
            document_type: Field::new(words, "document_type", Kind::Select(options))
                .value(form.get("document_type"))
                .checked(problems),
            document_number: Field::line(words, "document_number")
                .value(form.get("document_number"))
                .checked(problems),
            phone: Field::new(words, "phone", Kind::Line("tel"))
                .value(form.get("phone"))
                .autocomplete("tel-national")
                .keys("tel")
                .checked(problems),
        }
    }
}

/// What was typed of it.
pub(super) fn typed(form: &Form) -> TypedIdentity {
    let kind = form.get("document_type");
    TypedIdentity {
        name: form.get("name").to_owned(),
        document_type: kind.split(':').next().unwrap_or_default().to_owned(),
        document_number: form.get("document_number").to_owned(),
        phone: form.get("phone").to_owned(),
    }
}

/// The name of the document that was chosen.
pub(super) fn document_name(words: Words<'_>, form: &Form) -> String {
    let chosen = form.get("document_type");
    DOCUMENTS
        .iter()
        .find(|(value, _)| *value == chosen)
        .map(|(_, key)| words.t(key))
        .unwrap_or_default()
}
