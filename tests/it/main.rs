//! The tests.
#[cfg(test)]
mod architecture;
