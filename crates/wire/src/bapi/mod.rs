//! The Backend API: what servers call with a secret key.

mod passkeys;
mod profile_image;
mod sessions;
mod tickets;
mod user_factors;
mod users;

pub use passkeys::*;
pub use profile_image::*;
pub use sessions::*;
pub use tickets::*;
pub use user_factors::*;
pub use users::*;
