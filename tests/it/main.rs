//! The integration tests, one crate so that they link once.
#[cfg(test)]
mod identity;
#[cfg(test)]
mod source_embedded;
#[cfg(test)]
mod source_fhir;
#[cfg(test)]
mod source_fhir_hostile;
#[cfg(test)]
mod source_import;
#[cfg(test)]
mod support;
