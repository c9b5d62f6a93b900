//! Metadata: merged or replaced.

use super::update::{Plan, edit};
use super::{metadata_text, object};
use crate::app::Scope;
use doorward_base::*;
use doorward_store::users::{UserRecord, UserWithEmails};
use doorward_wire::Object;
use serde_json::Value;

/// The three kinds of metadata, as far as they were sent.
#[derive(Clone, Copy)]
pub struct Metadata<'a> {
    /// For all to read.
    pub public: Option<&'a Object>,
    /// For the backend.
    pub private: Option<&'a Object>,
    /// For the browser.
    pub unsafe_: Option<&'a Object>,
}

impl Metadata<'_> {
    fn each(
        &self,
        user: &mut UserRecord,
        mut change: impl FnMut(&mut String, &Object, &str) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let kinds = [
            (self.public, &mut user.public_metadata, "public_metadata"),
            (self.private, &mut user.private_metadata, "private_metadata"),
            (self.unsafe_, &mut user.unsafe_metadata, "unsafe_metadata"),
        ];
        for (given, kept, param) in kinds {
            if let Some(given) = given {
                change(kept, given, param)?;
            }
        }
        Ok(())
    }

    /// Takes over what was sent; what was not sent stays.
    pub(super) fn replace(&self, user: &mut UserRecord) -> Result<(), ApiError> {
        self.each(user, |kept, given, param| {
            *kept = metadata_text(given, param)?;
            Ok(())
        })
    }

    fn merge(&self, user: &mut UserRecord) -> Result<(), ApiError> {
        self.each(user, |kept, given, param| {
            let mut all = object(kept);
            merge_patch(&mut all, given);
            *kept = metadata_text(&all, param)?;
            Ok(())
        })
    }

    fn is_empty(&self) -> bool {
        self.public.is_none() && self.private.is_none() && self.unsafe_.is_none()
    }
}

/// Applies a merge patch (RFC 7396): a null removes the key that it stands for, objects are merged, everything else is
/// replaced. The order of the keys that stay is kept.
fn merge_patch(target: &mut Object, patch: &Object) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.shift_remove(key);
            }
            Value::Object(patch) => {
                let at = target.entry(key.clone()).or_insert_with(|| Value::Object(Object::new()));
                if !at.is_object() {
                    *at = Value::Object(Object::new());
                }
                if let Value::Object(at) = at {
                    merge_patch(at, patch);
                }
            }
            other => {
                target.insert(key.clone(), other.clone());
            }
        }
    }
}

/// Merges metadata into a user's.
///
/// # Errors
/// `resource_not_found`; `form_param_exceeds_allowed_size` when more came of it than [`super::METADATA_MAX_BYTES`].
pub async fn merge_metadata(scope: &Scope, id: &UserId, metadata: Metadata<'_>) -> Result<UserWithEmails, ApiError> {
    edit(scope, id, |before| changed(scope, before, metadata, |user| metadata.merge(user))).await
}

/// Replaces a user's metadata.
///
/// # Errors
/// As [`merge_metadata`].
pub async fn replace_metadata(scope: &Scope, id: &UserId, metadata: Metadata<'_>) -> Result<UserWithEmails, ApiError> {
    edit(scope, id, |before| changed(scope, before, metadata, |user| metadata.replace(user))).await
}

fn changed(
    scope: &Scope,
    before: &UserWithEmails,
    metadata: Metadata<'_>,
    change: impl FnOnce(&mut UserRecord) -> Result<(), ApiError>,
) -> Result<Option<Plan>, ApiError> {
    if metadata.is_empty() {
        return Ok(None);
    }
    let mut user = before.user.clone();
    change(&mut user)?;
    user.updated_at = scope.now;
    Ok(Some(Plan::of(user)))
}

#[cfg(test)]
mod tests {
    use super::super::METADATA_MAX_BYTES;
    use super::*;
    use serde_json::json;

    fn merged(target: Value, patch: Value) -> Value {
        let (Value::Object(mut target), Value::Object(patch)) = (target, patch) else { unreachable!() };
        merge_patch(&mut target, &patch);
        Value::Object(target)
    }

    #[test]
    fn the_examples_of_rfc_7396_hold() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            (json!({"a": "text"}), json!({"a": {"b": 1}}), json!({"a": {"b": 1}})),
        ] {
            assert_eq!(merged(target.clone(), patch.clone()), result, "{target} + {patch}");
        }
    }

    #[test]
    fn keys_keep_their_order_and_odd_names_are_just_names() {
        let out = merged(json!({"z": 1, "a": 2, "m": 3}), json!({"z": null, "__proto__": {"admin": true}}));
        assert_eq!(out.to_string(), r#"{"a":2,"m":3,"__proto__":{"admin":true}}"#);
    }

    #[test]
    fn what_was_not_sent_stays_and_too_much_is_refused_by_name() {
        let mut user =
            UserRecord { public_metadata: r#"{"a":1}"#.to_owned(), private_metadata: r#"{"b":1}"#.to_owned(), ..UserRecord::default() };
        let patch = json!({"c": 2}).as_object().cloned().unwrap();
        let only_public = Metadata { public: Some(&patch), private: None, unsafe_: None };
        only_public.merge(&mut user).unwrap();
        assert_eq!((user.public_metadata.as_str(), user.private_metadata.as_str()), (r#"{"a":1,"c":2}"#, r#"{"b":1}"#));
        only_public.replace(&mut user).unwrap();
        assert_eq!(user.public_metadata, r#"{"c":2}"#);
        let large = json!({"x": "y".repeat(METADATA_MAX_BYTES)}).as_object().cloned().unwrap();
        let error = Metadata { public: None, private: Some(&large), unsafe_: None }.merge(&mut user).unwrap_err();
        assert_eq!((error.code().code, error.meta().param_name.as_deref()), ("form_param_exceeds_allowed_size", Some("private_metadata")));
    }
}
