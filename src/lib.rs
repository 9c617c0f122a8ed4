//! tuantibu (团体簿): a self-hosted group health register.
//!
//! One direction: `main → {web, worker} → actions → {store, source, sms, crypto} → model`.
pub mod actions;
pub mod anchor;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod erasure_list;
pub mod error;
pub mod gather;
mod memory;
pub mod model;
pub mod outbound;
pub mod qr;
pub mod sheet;
pub mod sms;
pub mod source;
mod sqlite;
pub mod store;
pub mod telemetry;
pub mod texts;
pub mod web;
pub mod worker;
