//! The binary `doorward`: command line, configuration, wiring, observability.

pub mod cli;
pub mod config;
mod files;
mod listen;
mod npm;
mod observe;
mod patient;
mod server;

pub use observe::{Observed, start as observe};
pub use server::{Addresses, Environment, Running, open, start};
