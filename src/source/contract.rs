//! The Health Source API, version 1: what is asked of an authority's own server and what it answers.
//! docs/HEALTH-SOURCE-API.md tells it to whoever builds one.
mod sign;

pub use sign::{CLIENT, Refused, SIGNATURE, SKEW_SECONDS, Signed, TIMESTAMP, sign, verify};

use super::record::WireHealthRecord;
use crate::model::document::DocumentType;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// What [`About::api`] says.
pub const API: &str = "health-source";
/// The version of this contract. A server of version 1 with a higher minor number adds fields alone.
pub const VERSION: &str = "1.0";
/// Most people of one reading.
pub const MOST: usize = 1000;
/// Most bytes of a request.
pub const REQUEST_BYTES: usize = 2 * 1024 * 1024;

/// What the server is and can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// `health-source`.
    pub api: String,
    /// `1.0`.
    pub version: String,
    /// The server's clock, RFC 3339 with offset.
    pub time: String,
    /// The items that it knows, by the catalogue's ids.
    pub items: Vec<String>,
    /// Most people of one reading; at least 1, at most 1,000.
    pub most: usize,
    /// Whether it tells what changed.
    pub changes: bool,
}

/// Whether three things stand in one record.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchAsked {
    /// The document's type.
    pub document_type: DocumentType,
    /// The document's number.
    pub document_number: String,
    /// The name.
    pub name: String,
    /// The phone, as `+8613800000000`.
    pub phone: String,
}

/// What a match gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Name, document and phone stand in one record.
    Matched,
    /// There is a record of that document with another name, or without that phone.
    NotMatched,
    /// There is no record of that document.
    NoRecord,
}

/// What a match gave. There is no "later" here: that is an answer with status 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchAnswer {
    /// The outcome.
    pub outcome: Matching,
}

/// Who is to be read.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadAsked {
    /// At most as many as [`About::most`] says; no document twice.
    pub people: Vec<PersonAsked>,
}

/// One of them.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonAsked {
    /// The document's type.
    pub document_type: DocumentType,
    /// The document's number.
    pub document_number: String,
    /// The name.
    pub name: String,
    /// The items that are to be read, and no other.
    pub items: Vec<String>,
}

/// What reading one person gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// The record follows.
    Found,
    /// There is a record of that document with another name.
    NotMatched,
    /// There is no record of that document.
    NoRecord,
    /// This person cannot be read now.
    TryLater,
}

/// The answers, one for each who was asked for, in that order.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ReadAnswer {
    /// The answers.
    pub answers: Vec<PersonAnswer>,
}

/// One of them.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct PersonAnswer {
    /// Of whom: the document's type as it was asked for.
    pub document_type: DocumentType,
    /// The document's number as it was asked for.
    pub document_number: String,
    /// The outcome.
    pub outcome: Reading,
    /// The record where one was found, with no item that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<WireHealthRecord>,
}

/// What changed since a cursor.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangesAnswer {
    /// The documents whose records changed or came; none twice needed, twice allowed.
    pub documents: Vec<DocumentNamed>,
    /// Where to go on from.
    pub cursor: String,
    /// Whether there is more by now.
    pub more: bool,
}

/// A document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentNamed {
    /// Its type.
    pub document_type: DocumentType,
    /// Its number.
    pub document_number: String,
}

/// Why a request is refused, as a problem of RFC 9457.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// `about:blank`.
    #[serde(rename = "type")]
    pub kind: String,
    /// In short English words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// The stable code.
    pub code: String,
}

macro_rules! shows_nothing {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}
// Each names somebody.
shows_nothing!(
    MatchAsked,
    ReadAsked,
    PersonAsked,
    ReadAnswer,
    PersonAnswer,
    ChangesAnswer,
    DocumentNamed
);
