//! Pure rules: no I/O, no clock, no randomness.
mod chars;
pub mod code;
pub mod contact;
pub mod document;
pub mod mask;
pub mod name;
pub mod phone;
pub mod text;
