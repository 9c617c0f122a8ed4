//! The integration tests, one crate so that they link once.
mod identity;
mod registers;
