//! Billing is switched on for users and for organizations apart.

use super::Change;
use crate::version::ApiVersion;
use serde_json::{Map, Value};

pub(super) const CHANGE: Change =
    Change { date: ApiVersion::V2025_11_10, parameters_gone: &[], outgoing: &[("environment", one_switch_for_billing)] };

fn one_switch_for_billing(environment: &mut Map<String, Value>) {
    let Some(billing) = environment.get_mut("commerce_settings").and_then(|it| it.get_mut("billing")?.as_object_mut()) else { return };
    let says = |whose: &str, what: &str| billing.get(whose).and_then(|it| it.get(what)?.as_bool()).unwrap_or_default();
    let enabled = says("user", "enabled") || says("organization", "enabled");
    let (users, organizations) = (says("user", "has_paid_plans"), says("organization", "has_paid_plans"));
    billing.insert("enabled".to_owned(), enabled.into());
    billing.insert("has_paid_user_plans".to_owned(), users.into());
    billing.insert("has_paid_org_plans".to_owned(), organizations.into());
}
