//! What claims of sessions and templates may be.

use std::ops::RangeInclusive;

/// Claims of a session token that no setting may override.
pub const RESERVED_CLAIMS: &[&str] = &[
    "azp",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "sid",
    "sub",
    "sts",
    "v",
    "fva",
    "act",
    "o",
    "org_id",
    "org_slug",
    "org_role",
    "org_permissions",
    "pla",
    "fea",
    "aud",
];

/// How long a template's tokens may live, in seconds.
pub const TEMPLATE_LIFETIMES: RangeInclusive<i64> = 30..=315_360_000;
/// How far clocks may be apart for a template's tokens, in seconds.
pub const TEMPLATE_SKEWS: RangeInclusive<i64> = 0..=300;

/// Claims that a template may not set. It may address another service and say what else a session token does, for those that
/// read their claims of it; it cannot speak as somebody else, nor for a session, of what was proven in it or of its plan.
const RESERVED_IN_TEMPLATES: &[&str] = &["azp", "exp", "iat", "iss", "jti", "nbf", "sid", "sub", "sts", "v", "fva", "pla", "fea"];

/// Whether a template may not set a claim.
pub fn is_reserved_in_templates(name: &str) -> bool {
    RESERVED_IN_TEMPLATES.contains(&name)
}
