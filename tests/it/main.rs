//! Tests through the public interfaces, on both engines. `make test` starts what they talk to.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod services;
