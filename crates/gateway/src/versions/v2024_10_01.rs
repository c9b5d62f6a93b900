//! Nothing of what this server has: the date is one of organizations.

use super::Change;
use crate::version::ApiVersion;

pub(super) const CHANGE: Change = Change { date: ApiVersion::V2024_10_01, parameters_gone: &[], outgoing: &[] };
