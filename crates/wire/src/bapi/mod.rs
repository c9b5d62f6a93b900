//! The Backend API: what servers call with a secret key.

mod email_addresses;
mod instance;
mod jwt_templates;
mod passkeys;
mod phone_numbers;
mod profile_image;
mod sessions;
mod tickets;
mod user_factors;
mod users;
mod web3_wallets;

pub use email_addresses::*;
pub use instance::*;
pub use jwt_templates::*;
pub use passkeys::*;
pub use phone_numbers::*;
pub use profile_image::*;
pub use sessions::*;
pub use tickets::*;
pub use user_factors::*;
pub use users::*;
pub use web3_wallets::*;
