//! The Backend API: what servers call with a secret key.

mod access;
mod domains;
mod email_addresses;
mod instance;
mod instance_features;
mod invitations;
mod jwt_templates;
mod oauth;
mod passkeys;
mod phone_numbers;
mod profile_image;
mod redirect_urls;
mod sessions;
mod sign_ups;
mod templates;
mod tickets;
mod trusted_devices;
mod user_factors;
mod users;
mod web3_wallets;
mod webhooks;

pub use domains::*;
pub use email_addresses::*;
pub use instance::*;
pub use instance_features::*;
pub use jwt_templates::*;
mod waitlist_entries;

pub use access::*;
pub use invitations::*;
pub use oauth::*;
pub use passkeys::*;
pub use phone_numbers::*;
pub use profile_image::*;
pub use redirect_urls::*;
pub use sessions::*;
pub use sign_ups::*;
pub use templates::*;
pub use tickets::*;
pub use trusted_devices::*;
pub use user_factors::*;
pub use users::*;
pub use waitlist_entries::*;
pub use web3_wallets::*;
pub use webhooks::*;
