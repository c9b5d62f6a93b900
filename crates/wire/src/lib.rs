//! What travels between an app and the server: resources, requests, and one declaration per endpoint.
//!
//! The server mounts its routes from these declarations, generates its OpenAPI documents from them, and tests from them
//! what must hold for every endpoint; the client core speaks the same types. Nothing in here does I/O.

pub mod bapi;
mod endpoint;
pub mod fapi;
pub mod resource;

pub use endpoint::{Api, Auth, Empty, Endpoint, EndpointMeta, Envelope, Rate, Raw};

/// A JSON object whose keys are the app's own, such as metadata.
pub type Object = serde_json::Map<String, serde_json::Value>;
