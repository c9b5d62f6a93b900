//! The Backend API: what servers call with a secret key.

mod passkeys;
mod profile_image;
mod sessions;
mod tickets;
mod users;

pub use passkeys::*;
pub use profile_image::*;
pub use sessions::*;
pub use tickets::*;
pub use users::*;
