//! The operator's queries: named parameters in the place of each engine's own.
use super::database::Engine;
use std::fmt::Write;

/// What a query is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// The authority's code of the document's type.
    DocumentType,
    /// One number.
    DocumentNumber,
    /// Many numbers: a list of texts.
    DocumentNumbers,
    /// A cursor.
    Since,
}

impl Parameter {
    fn name(self) -> &'static str {
        match self {
            Self::DocumentType => "document_type",
            Self::DocumentNumber => "document_number",
            Self::DocumentNumbers => "document_numbers",
            Self::Since => "since",
        }
    }
}

/// A query as it was read.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Given(Parameter),
}

impl Query {
    /// Reads a query, which must take the last of `allowed` and may take the others.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(text: &str, allowed: &[Parameter]) -> Result<Self, String> {
        let text = text.trim().trim_end_matches(';');
        if text.is_empty() {
            return Err("is not set".to_owned());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut plain = String::new();
        while let Some(c) = rest.chars().next() {
            if let Some(word) = name_at(rest) {
                let mut known = allowed.iter();
                let Some(given) = known.find(|given| given.name() == word) else {
                    let names: Vec<String> =
                        allowed.iter().map(|p| format!(":{}", p.name())).collect();
                    return Err(format!(
                        ":{word} is nothing that it is given; there is {}",
                        names.join(", ")
                    ));
                };
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Given(*given));
                rest = &rest[1 + word.len()..];
                continue;
            }
            if c == '?' {
                return Err("a question mark stands for nothing: use the names".to_owned());
            }
            let taken = opaque(rest).max(c.len_utf8());
            plain.push_str(&rest[..taken]);
            rest = &rest[taken..];
        }
        pieces.push(Piece::Text(plain));
        let query = Self { pieces };
        match allowed.last() {
            Some(needed) if !query.takes(*needed) => {
                Err(format!("does not use :{}", needed.name()))
            }
            _ => Ok(query),
        }
    }

    fn takes(&self, parameter: Parameter) -> bool {
        let mut pieces = self.pieces.iter();
        pieces.any(|piece| matches!(piece, Piece::Given(given) if *given == parameter))
    }

    /// The query in an engine's words, a list being so long, and what it takes in order.
    pub(super) fn text(&self, engine: Engine, length: usize) -> (String, Vec<Parameter>) {
        let mut text = String::new();
        let mut order = Vec::new();
        for piece in &self.pieces {
            let given = match piece {
                Piece::Text(plain) => {
                    text.push_str(plain);
                    continue;
                }
                Piece::Given(given) => *given,
            };
            match engine {
                Engine::Postgres => {
                    let known = order.iter().position(|other| *other == given);
                    let at = known.unwrap_or_else(|| {
                        order.push(given);
                        order.len() - 1
                    });
                    // cannot fail: writing to a text never does.
                    let _ = write!(text, "${}", at + 1);
                }
                Engine::MySql => {
                    order.push(given);
                    let many = given == Parameter::DocumentNumbers;
                    text.push_str(&vec!["?"; if many { length } else { 1 }].join(", "));
                }
            }
        }
        (text, order)
    }
}

/// The name of a parameter that begins here.
fn name_at(text: &str) -> Option<&str> {
    let name = text.strip_prefix(':')?;
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(name.len());
    let name = &name[..end];
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(name)
}

/// The bytes of what begins here and holds no parameter: a text, a quoted name, a comment, a cast.
fn opaque(text: &str) -> usize {
    let until = |from: usize, end: &str| {
        text[from..]
            .find(end)
            .map_or(text.len(), |at| from + at + end.len())
    };
    match text.as_bytes() {
        [b'\'', ..] => until(1, "'"),
        [b'"', ..] => until(1, "\""),
        [b'`', ..] => until(1, "`"),
        [b'-', b'-', ..] => until(2, "\n"),
        [b'/', b'*', ..] => until(2, "*/"),
        [b':', b':', ..] => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameter::*, *};

    const BATCH: [Parameter; 2] = [DocumentType, DocumentNumbers];

    #[test]
    fn names_become_each_engines_own_and_nothing_else_does() {
        let query = Query::read(
            "select ':document_type', x::text -- :x\nfrom t where k = :document_type
             and n = any(:document_numbers) and :document_type <> ''/* :y ? */;",
            &BATCH,
        )
        .unwrap();
        let (text, order) = query.text(Engine::Postgres, 3);
        assert_eq!(
            text,
            "select ':document_type', x::text -- :x\nfrom t where k = $1
             and n = any($2) and $1 <> ''/* :y ? */"
        );
        assert_eq!(order, BATCH);
        let query = Query::read(
            "select 'it''s :x' from t where n in (:document_numbers) and `:k` = :document_type",
            &BATCH,
        )
        .unwrap();
        let (text, order) = query.text(Engine::MySql, 3);
        assert_eq!(
            text,
            "select 'it''s :x' from t where n in (?, ?, ?) and `:k` = ?"
        );
        assert_eq!(order, [DocumentNumbers, DocumentType]);
    }

    #[test]
    fn a_query_that_takes_the_wrong_things_says_so() {
        let wrong = |text: &str| Query::read(text, &BATCH).unwrap_err();
        assert_eq!(wrong(" "), "is not set");
        assert_eq!(wrong("select 1"), "does not use :document_numbers");
        assert_eq!(
            wrong("select :number"),
            ":number is nothing that it is given; there is :document_type, :document_numbers"
        );
        assert_eq!(
            wrong("select ?"),
            "a question mark stands for nothing: use the names"
        );
    }
}
