//! The Backend API: what servers call with a secret key.

mod sessions;
mod tickets;
mod users;

pub use sessions::*;
pub use tickets::*;
pub use users::*;
