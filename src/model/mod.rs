//! Pure rules: no I/O, no clock, no randomness.
pub mod document;
pub mod mask;
pub mod name;
pub mod phone;
pub mod text;
