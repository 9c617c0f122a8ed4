//! A wrong field, as rules tell it.

/// One field that was filled wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, as in API.md; nested ones with dots.
    pub field: String,
    /// A stable code, as `length` or `check_digit`.
    pub code: &'static str,
    /// Numbers for the message, as `expected` and `actual`. Never what was typed.
    pub numbers: Vec<(&'static str, i64)>,
}

impl FieldError {
    /// A field error without numbers.
    #[must_use]
    pub fn new(field: impl Into<String>, code: &'static str) -> Self {
        Self {
            field: field.into(),
            code,
            numbers: Vec::new(),
        }
    }

    /// The same with a number for its message.
    #[must_use]
    pub fn with(mut self, name: &'static str, number: i64) -> Self {
        self.numbers.push((name, number));
        self
    }
}
