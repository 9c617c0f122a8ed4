//! The street picker: each level a grid of buttons of the form that holds everything else.
use super::{fields::Problems, words::Words};
use crate::model::division::{self, Division};
use askama::Template;

#[derive(Clone, Template)]
#[template(path = "street.html")]
pub(super) struct Street<'a> {
    words: Words<'a>,
    /// The code so far: a province's, a district's, at last a street's.
    code: String,
    /// The names down to it.
    trail: String,
    chosen: bool,
    choices: Vec<Division>,
    error: String,
}

impl<'a> Street<'a> {
    /// The picker at a code; an unknown one begins anew.
    pub(super) fn at(words: Words<'a>, code: &str, problems: &Problems<'_>) -> Self {
        let known = division::get(code).is_some();
        let code = if known { code } else { "" };
        let chosen = division::is_street(code);
        let above = if chosen {
            code.get(..6)
        } else {
            (!code.is_empty()).then_some(code)
        };
        let trail = division::path(code);
        let shown = if chosen {
            trail.len().saturating_sub(1)
        } else {
            trail.len()
        };
        Self {
            words,
            code: code.to_owned(),
            trail: trail.get(..shown).unwrap_or_default().join(" › "),
            chosen,
            choices: division::children(above),
            error: problems.of("street_code"),
        }
    }

    /// What is chosen next.
    fn next(&self) -> String {
        let key = match self.code.len() {
            0 => "street-province",
            2 | 4 => "street-district",
            _ => "street-street",
        };
        self.words.t(key)
    }
}
