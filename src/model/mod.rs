//! Pure rules: no I/O, no clock, no randomness. Times and days come in as arguments.
pub mod address;
pub mod catalogue;
mod chars;
pub mod code;
pub mod contact;
pub mod division;
pub mod document;
pub mod field;
pub mod health;
pub mod id;
pub mod mask;
pub mod name;
pub mod phone;
pub mod register;
pub mod requirement;
pub mod text;
pub mod view;
