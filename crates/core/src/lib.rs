//! What is decided: how a sign-in advances, who a session belongs to, what a token says. Knows neither HTTP nor SQL text.

#![recursion_limit = "256"]

pub mod access;
mod app;
pub mod atlas;
mod claims;
pub mod client;
pub mod crypto;
pub mod dev_browser;
pub mod email_link;
mod enumeration;
pub mod environment;
pub mod handshake;
pub mod identifiers;
pub mod images;
pub mod instance;
pub mod instance_settings;
pub mod invitations;
pub mod jwt;
pub mod jwt_templates;
pub mod keys;
pub mod mail;
pub mod me_password;
pub mod messages;
pub mod moving;
pub mod oauth;
pub mod outbound;
mod outbox;
pub mod passkeys;
pub mod password;
pub mod phone;
pub mod redirect_urls;
pub mod refresh;
pub mod reverification;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod sign_up;
pub mod signed_webhook;
pub mod sms;
mod strategies;
pub mod tasks;
pub mod template_keys;
pub mod tickets;
pub mod trusted_devices;
pub mod two_factor;
pub mod user_agent;
pub mod users;
mod verification;
pub mod waitlist;
pub mod web3;
pub mod webhooks;
pub mod well_known;

pub use app::{App, Caller, Scope, Wakers, internal};
pub use instance::Instance;
