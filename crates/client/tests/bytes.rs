//! Whatever bytes say that happens to a client, it bears it. `scripts/fuzz.sh` goes on where this ends, and looks for bytes that
//! lead to code that none before them led to.
#![allow(clippy::expect_used, reason = "tests")]

mod play;

use proptest::prelude::*;

/// A client that is loaded with two sessions, is asked for a token, loses it and signs out.
const STORY: &[u8] = &[
    0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 2, 0, 1, 9, 0, 5, 0, 0, 0, 1, 1, 4, 0, 3, 1, 1, 5, 1, 0, 0, 0, 0, 2, 0, 0, 4, 0, 1,
    0, 0, 0, 0, 0, 0, 9,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        play::play(&bytes);
    }

    #[test]
    fn a_story_with_some_of_its_bytes_changed(changes in prop::collection::vec((0..STORY.len(), any::<u8>()), 0..12), more in prop::collection::vec(0..12u8, 0..200)) {
        let mut bytes = STORY.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.extend(more);
        play::play(&bytes);
    }
}
