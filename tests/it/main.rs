//! Tests through the public interfaces, on both engines, one crate so that they link once.
//! `make test` starts what they talk to.

#[cfg(test)]
mod api_basics;
#[cfg(test)]
mod api_requests;
#[cfg(test)]
mod app;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod services;
#[cfg(test)]
mod source_contract;
#[cfg(test)]
mod source_embedded;
#[cfg(test)]
mod source_fhir;
#[cfg(test)]
mod source_fhir_hostile;
#[cfg(test)]
mod source_http;
#[cfg(test)]
mod source_http_faults;
#[cfg(test)]
mod source_import;
#[cfg(test)]
mod source_sql;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod support;
#[cfg(test)]
mod texts;
// Marked, so that its helpers may unwrap as tests do.
#[cfg(test)]
mod administrators;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod code_image;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod database_tls;
#[cfg(test)]
mod erase_person;
#[cfg(test)]
mod fhir_journey;
#[cfg(test)]
mod forged;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod fuzzed;
#[cfg(test)]
mod gather;
#[cfg(test)]
mod group_commit;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hostile_words;
#[cfg(test)]
mod join;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod leave;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod other_group;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod races;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod registers;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod security_rows;
#[cfg(test)]
mod see;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod sms_clouds;
#[cfg(test)]
mod sms_faults;
#[cfg(test)]
mod sms_gateways;
#[cfg(test)]
mod sms_smpp;
#[cfg(test)]
mod sms_webhook;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod two_servers;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;
