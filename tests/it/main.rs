//! The integration tests, one crate so that they link once.
mod identity;
// Marked, so that its helpers may unwrap as tests do.
#[cfg(test)]
mod registers;
