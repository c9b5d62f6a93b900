//! The Frontend API: what browsers and apps call.

mod client;
mod email_addresses;
mod environment;
mod me;
mod me_password;
mod passkeys;
mod phone_numbers;
mod profile_image;
mod reverification;
mod second_factors;
mod sessions;
mod sign_ins;
mod sign_ups;
mod trusted_devices;
mod verify;
mod waitlist;
mod web3_wallets;
mod well_known;

pub use client::*;
pub use email_addresses::*;
pub use environment::*;
pub use me::*;
pub use me_password::*;
pub use passkeys::*;
pub use phone_numbers::*;
pub use profile_image::*;
pub use reverification::*;
pub use second_factors::*;
pub use sessions::*;
pub use sign_ins::*;
pub use sign_ups::*;
pub use trusted_devices::*;
pub use verify::*;
pub use waitlist::*;
pub use web3_wallets::*;
pub use well_known::*;
