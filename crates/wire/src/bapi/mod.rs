//! The Backend API: what servers call with a secret key.

mod sessions;
mod users;

pub use sessions::*;
pub use users::*;
