//! What every other crate stands on: prefixed ids, time, randomness, secrets and the list of public errors.
//!
//! Nothing in here does I/O, and it builds for WebAssembly. Time and randomness are values that are handed in, so that
//! a test can freeze the one and seed the other.

mod clock;
mod error;
mod id;
mod rng;
mod secret;

pub use clock::{Clock, Timestamp};
pub use error::{Advice, AdviceList, ApiError, Code, ErrorMeta, codes};
pub use id::*;
pub use rng::Rng;
pub use secret::Secret;
