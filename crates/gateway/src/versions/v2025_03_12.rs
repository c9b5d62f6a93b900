//! Nothing of what this server has: the date is one of billing.

use super::Change;
use crate::version::ApiVersion;

pub(super) const CHANGE: Change = Change { date: ApiVersion::V2025_03_12, parameters_gone: &[], outgoing: &[] };
