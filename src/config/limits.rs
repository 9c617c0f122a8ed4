//! `[limits]`.
use serde::{Deserialize, Serialize};

/// Limits. What counts a day turns at local midnight.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Mismatches of a document from one address a day.
    pub mismatches_document_address: i64,
    /// Mismatches of a document in all a day.
    pub mismatches_document: i64,
    /// Mismatches of a phone from one address a day.
    pub mismatches_phone_address: i64,
    /// Mismatches of a phone in all a day.
    pub mismatches_phone: i64,
    /// Mismatches from an address an hour.
    pub mismatches_address_hour: i64,
    /// Sign-in and join posts from an address in 5 minutes.
    pub posts_address: i64,
    /// Confirmations from an address in 5 minutes.
    pub confirms_address: i64,
    /// Wrong codes that end a verification.
    pub wrong_codes: i64,
    /// Seconds between two codes to a phone while the first is unused.
    pub resend_seconds: i64,
    /// Seconds that a code lives.
    pub code_seconds: i64,
    /// SMS a phone a day.
    pub sms_phone: i64,
    /// SMS a phone a day more that only serve leaving.
    pub sms_phone_leave: i64,
    /// SMS of the whole site an hour.
    pub sms_site_hour: i64,
    /// Previews from an address a minute.
    pub previews_address: i64,
    /// Unknown codes from an address a minute.
    pub unknown_codes_address: i64,
    /// Registers made and codes replaced by a person a day.
    pub creations_person: i64,
    /// Lists, summaries and own pages a session a minute.
    pub reads_session: i64,
    /// Revealed phones an administrator an hour.
    pub reveals_hour: i64,
    /// Revealed phones an administrator a day.
    pub reveals_day: i64,
    /// Exports an administrator a day.
    pub exports_day: i64,
    /// Reports from an address an hour.
    pub reports_address_hour: i64,
    /// Joins waiting for the source from an address an hour.
    pub pending_address_hour: i64,
    /// Members a register.
    pub members_register: i64,
    /// Registers an administrator.
    pub registers_administrator: i64,
    /// Administrators a register.
    pub administrators_register: i64,
    /// Persons that a phone verifies: its owner and others.
    pub persons_phone: i64,
    /// Minutes without a request that end a session.
    pub session_idle_minutes: i64,
    /// Hours that end a session in any case.
    pub session_hours: i64,
    /// Sessions a person.
    pub sessions_person: i64,
    /// Passkeys of an administrator.
    pub passkeys_person: i64,
    /// Hours before a passkey in the place of a lost one opens a session.
    pub passkey_wait_hours: i64,
    /// Hours that a join waits for the source.
    pub pending_hours: i64,
    /// Days without a reader that end a register.
    pub unread_days: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mismatches_document_address: 5,
            mismatches_document: 20,
            mismatches_phone_address: 10,
            mismatches_phone: 50,
            mismatches_address_hour: 60,
            posts_address: 180,
            confirms_address: 600,
            wrong_codes: 5,
            resend_seconds: 60,
            code_seconds: 300,
            sms_phone: 5,
            sms_phone_leave: 3,
            sms_site_hour: 2000,
            previews_address: 600,
            unknown_codes_address: 60,
            creations_person: 20,
            reads_session: 120,
            reveals_hour: 60,
            reveals_day: 200,
            exports_day: 10,
            reports_address_hour: 20,
            pending_address_hour: 20,
            members_register: 10_000,
            registers_administrator: 50,
            administrators_register: 10,
            persons_phone: 5,
            session_idle_minutes: 30,
            session_hours: 8,
            sessions_person: 5,
            passkeys_person: 10,
            passkey_wait_hours: 24,
            pending_hours: 24,
            unread_days: 180,
        }
    }
}
