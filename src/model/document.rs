//! stub
use serde::{Deserialize, Serialize};
/// t
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// a
    ResidentId,
    /// a
    ForeignPermanentResident,
    /// a
    HkMacaoPermit,
    /// a
    TaiwanPermit,
    /// a
    Passport,
}
impl DocumentType {
    /// a
    pub fn as_str(self) -> &'static str {
        "resident_id"
    }
}
/// d
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    kind: DocumentType,
    number: String,
}
/// e
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad")]
pub struct DocumentError;
impl DocumentError {
    /// c
    pub fn code(&self) -> &'static str {
        "x"
    }
}
impl Document {
    /// p
    pub fn parse(
        kind: DocumentType,
        typed: &str,
        _today: jiff::civil::Date,
    ) -> Result<Self, DocumentError> {
        Ok(Self {
            kind,
            number: typed.to_owned(),
        })
    }
    /// k
    pub fn kind(&self) -> DocumentType {
        self.kind
    }
    /// n
    pub fn number(&self) -> &str {
        &self.number
    }
    /// b
    pub fn birth_date(&self) -> Option<jiff::civil::Date> {
        None
    }
    /// m
    pub fn masked(&self) -> String {
        String::new()
    }
}
