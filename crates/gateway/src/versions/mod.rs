//! What the dates of the protocol changed, one file each. The rest of the server knows the newest only: what an older
//! caller may still send is let through here, and what it is answered is turned into the form of its date.

mod v2024_10_01;
mod v2025_03_12;
mod v2025_04_10;
mod v2025_11_10;
mod v2026_05_12;

use crate::version::ApiVersion;
use doorward_base::{ApiError, codes};
use serde_json::{Map, Value};

/// Turns an object of one date into its form before.
type Older = fn(&mut Map<String, Value>);

/// What one date changed.
struct Change {
    /// The first date that has it.
    date: ApiVersion,
    /// Operations, each with parameters that it takes no more.
    parameters_gone: &'static [(&'static str, &'static [&'static str])],
    /// Kinds of objects whose form it changed.
    outgoing: &'static [(&'static str, Older)],
}

/// All of them, newest first.
const CHANGES: &[Change] = &[v2026_05_12::CHANGE, v2025_11_10::CHANGE, v2025_04_10::CHANGE, v2025_03_12::CHANGE, v2024_10_01::CHANGE];

/// Fields whose value belongs to the app: nothing in them is one of our objects.
const OPAQUE: &[&str] = &["public_metadata", "private_metadata", "unsafe_metadata", "actor", "claims"];

/// Refuses parameters that were taken from callers older than this one.
pub(crate) fn accept(version: ApiVersion, operation: &str, input: &Value) -> Result<(), ApiError> {
    let gone = CHANGES.iter().filter(|change| change.date <= version).flat_map(|change| change.parameters_gone);
    let mut named = gone.filter(|(id, _)| *id == operation).flat_map(|(_, names)| *names);
    match named.find(|name| input.get(name).is_some()) {
        Some(name) => Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param(*name)),
        None => Ok(()),
    }
}

/// The JSON of an answer, in the form of its caller's date.
pub fn outgoing(version: ApiVersion, body: Vec<u8>) -> Vec<u8> {
    let changes = || CHANGES.iter().filter(|change| change.date > version).flat_map(|change| change.outgoing);
    // Most answers hold nothing that ever changed; those are not taken apart.
    if !changes().any(|(object, _)| mentions(&body, object)) {
        return body;
    }
    let Ok(mut value) = serde_json::from_slice(&body) else { return body };
    for (object, change) in changes() {
        apply(&mut value, object, *change);
    }
    serde_json::to_vec(&value).unwrap_or(body)
}

fn mentions(body: &[u8], object: &str) -> bool {
    let wanted = format!("\"object\":\"{object}\"");
    body.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

fn apply(value: &mut Value, object: &str, change: Older) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| apply(item, object, change)),
        Value::Object(fields) => {
            let ours = fields.iter_mut().filter(|(name, _)| !OPAQUE.contains(&name.as_str()));
            ours.for_each(|(_, item)| apply(item, object, change));
            if fields.get("object").and_then(Value::as_str) == Some(object) {
                change(fields);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn environment() -> Vec<u8> {
        let billing = json!({"stripe_publishable_key": null, "user": {"enabled": true, "has_paid_plans": true}, "organization": {"enabled": false, "has_paid_plans": false}});
        json!({"object": "environment", "commerce_settings": {"billing": billing}, "user_settings": {"restrictions": {}}})
            .to_string()
            .into_bytes()
    }

    fn read(version: ApiVersion) -> Value {
        serde_json::from_slice(&outgoing(version, environment())).unwrap()
    }

    #[test]
    fn an_older_caller_reads_the_shapes_of_its_date() {
        let newest = read(ApiVersion::V2025_11_10);
        assert_eq!(newest, serde_json::from_slice::<Value>(&environment()).unwrap(), "no shape changed since");
        let april = read(ApiVersion::V2025_04_10);
        let billing = &april["commerce_settings"]["billing"];
        assert_eq!(
            (&billing["enabled"], &billing["has_paid_user_plans"], &billing["has_paid_org_plans"]),
            (&json!(true), &json!(true), &json!(false))
        );
        assert_eq!((april["commerce_settings"].get("enabled"), billing["user"]["enabled"].as_bool()), (None, Some(true)));
        for older in [ApiVersion::V2025_03_12, ApiVersion::V2024_10_01, ApiVersion::V2021_02_05] {
            let read = read(older);
            assert_eq!((&read["commerce_settings"]["enabled"], &read["commerce_settings"]["billing"]), (&json!(true), billing));
            assert_eq!(read["user_settings"]["restrictions"]["ignore_dots_for_gmail_addresses"], json!({"enabled": false}));
        }
    }

    #[test]
    fn what_an_app_keeps_with_us_is_never_changed() {
        let inner: Value = serde_json::from_slice(&environment()).unwrap();
        let user = json!({"object": "user", "public_metadata": {"a": [inner]}, "unsafe_metadata": inner}).to_string();
        let answered = outgoing(ApiVersion::V2021_02_05, user.clone().into_bytes());
        assert_eq!(serde_json::from_slice::<Value>(&answered).unwrap(), serde_json::from_str::<Value>(&user).unwrap());
    }

    #[test]
    fn metadata_left_the_update_with_the_newest_version() {
        let with = json!({"user_id": "user_1", "private_metadata": {}});
        assert!(accept(ApiVersion::V2025_11_10, "UpdateUser", &with).is_ok());
        let error = accept(ApiVersion::V2026_05_12, "UpdateUser", &with).unwrap_err();
        assert_eq!((error.code().code, error.meta().param_name.as_deref()), ("form_param_unknown", Some("private_metadata")));
        assert!(accept(ApiVersion::V2026_05_12, "UpdateUser", &json!({"user_id": "user_1", "first_name": "Ada"})).is_ok());
        assert!(accept(ApiVersion::V2026_05_12, "UpdateUserMetadata", &with).is_ok());
    }

    #[test]
    fn every_change_stands_before_older_ones_and_has_a_date_of_its_own() {
        assert!(CHANGES.is_sorted_by(|a, b| a.date > b.date));
    }
}
