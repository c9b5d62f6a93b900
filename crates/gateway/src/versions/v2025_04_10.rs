//! The environment says more of billing, and no more whether dots count in addresses of one provider.

use super::Change;
use crate::version::ApiVersion;
use serde_json::{Map, Value, json};

pub(super) const CHANGE: Change = Change {
    date: ApiVersion::V2025_04_10,
    parameters_gone: &[("UpdateInstanceRestrictions", &["ignore_dots_for_gmail_addresses"])],
    outgoing: &[("environment", fewer_settings), ("instance_restrictions", one_more_restriction)],
};

fn one_more_restriction(restrictions: &mut Map<String, Value>) {
    restrictions.insert("ignore_dots_for_gmail_addresses".to_owned(), Value::Bool(false));
}

fn fewer_settings(environment: &mut Map<String, Value>) {
    if let Some(commerce) = environment.get_mut("commerce_settings").and_then(Value::as_object_mut) {
        let billing = commerce.get("billing").cloned().unwrap_or_default();
        let value = |name: &str| billing.get(name).cloned();
        commerce.insert("enabled".to_owned(), value("enabled").unwrap_or(Value::Bool(false)));
        commerce.insert("stripe_publishable_key".to_owned(), value("stripe_publishable_key").unwrap_or_default());
    }
    if let Some(restrictions) = environment.get_mut("user_settings").and_then(|it| it.get_mut("restrictions")?.as_object_mut()) {
        restrictions.insert("ignore_dots_for_gmail_addresses".to_owned(), json!({"enabled": false}));
    }
}
