//! What is kept. The only crate that knows SQL: one text for SQLite and PostgreSQL.
//!
//! A module per resource gives functions that take the database, or a [`db::Tx`] where several writes belong together.
//! Every statement but those on instances themselves begins with the instance, so that a foreign id finds nothing.

pub mod access_identifiers;
pub mod attempts;
pub mod changes;
pub mod clients;
pub mod db;
pub mod dev_browsers;
pub mod domains;
pub mod external_accounts;
pub mod images;
pub mod instances;
pub mod invitations;
pub mod jobs;
pub mod message_templates;
mod migrate;
pub mod moving;
pub mod passkeys;
#[cfg(test)]
mod plan;
pub mod redirect_urls;
pub mod second_factors;
pub mod sessions;
pub mod sweep;
pub mod tickets;
pub mod tokens;
pub mod trusted_devices;
pub mod users;
pub mod verifications;
pub mod waitlist;
pub mod webhooks;

pub use db::{Db, Read, Row, Sql, StoreError, Tx};
pub use migrate::{SCHEMA_VERSION, migrate, schema_version};
