//! stub
/// d
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phone(String);
/// d
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Regions(Vec<String>);
/// e
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad")]
pub struct PhoneError;
impl PhoneError {
    /// c
    pub fn code(&self) -> &'static str {
        "x"
    }
}
impl Phone {
    /// p
    pub fn parse(typed: &str, _regions: &Regions) -> Result<Self, PhoneError> {
        Ok(Self(typed.to_owned()))
    }
    /// k
    pub fn e164(&self) -> &str {
        &self.0
    }
    /// n
    pub fn national(&self) -> &str {
        &self.0
    }
    /// m
    pub fn masked(&self) -> String {
        String::new()
    }
}
