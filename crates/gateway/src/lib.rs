//! How a request becomes a typed call, and its result an answer. What is the same for every endpoint is here, reading the
//! endpoint's declaration: who is calling, what they sent, how often they may, how the answer is wrapped.

mod address;
mod answer;
mod auth;
mod body;
mod client_ip;
mod context;
mod cookies;
mod cors;
mod cx;
mod docs;
mod gateway;
mod input;
mod limits;
pub mod openapi;
mod routes;
mod upload;
mod version;
mod versions;
mod visit;

pub use answer::error_response;
pub use cookies::cookie;
pub use cx::{Cx, Trace};
pub use gateway::{Config, Gateway};
pub use routes::{Call, Documented, Routes};
pub use version::ApiVersion;
pub use versions::outgoing;
pub use visit::Visit;
