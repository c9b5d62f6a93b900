//! Metadata is merged or replaced on endpoints of its own, so that nobody replaces what they meant to merge.

use super::Change;
use crate::version::ApiVersion;

pub(super) const CHANGE: Change = Change {
    date: ApiVersion::V2026_05_12,
    parameters_gone: &[("UpdateUser", &["public_metadata", "private_metadata", "unsafe_metadata"]), ("patchUser", &["unsafe_metadata"])],
    outgoing: &[],
};
