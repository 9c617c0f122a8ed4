//! Tests through the public interfaces, on both engines, one crate so that they link once.
//! `make test` starts what they talk to.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod services;
