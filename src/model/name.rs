//! stub
/// d
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name(String);
/// e
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad")]
pub struct NameError;
impl NameError {
    /// c
    pub fn code(&self) -> &'static str {
        "x"
    }
}
impl Name {
    /// p
    pub fn parse(typed: &str) -> Result<Self, NameError> {
        Ok(Self(typed.to_owned()))
    }
    /// k
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// n
    pub fn key(&self) -> &str {
        &self.0
    }
    /// m
    pub fn masked(&self) -> String {
        String::new()
    }
}
