//! Any bytes as commands and answers: `scripts/fuzz.sh`, or `cargo fuzz run core` in `crates/client`.
#![no_main]
#![allow(clippy::expect_used, reason = "to panic is how it tells what it found")]

#[path = "../../tests/play/mod.rs"]
mod play;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| play::play(bytes));
