//! tuantibu (团体簿): a self-hosted group health register.
pub mod crypto;
pub mod model;
pub mod source;
pub mod store;
