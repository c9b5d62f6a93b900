//! From the bytes of a request to one JSON object that an endpoint's request type can be read from. The types come from
//! the request type's own schema, so that `limit=10` is a number for one endpoint and text for another, and an error
//! names the parameter.

use bytes::Bytes;
use doorward_base::{ApiError, codes};
use doorward_wire::{Auth, Endpoint};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What a parameter may be.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text,
    Flag,
    Number,
    List(Box<Kind>),
    Object,
    Any,
}

#[derive(Clone, Debug)]
struct Param {
    kind: Kind,
    nullable: bool,
    /// Whether the first one counts where it comes several times in a form.
    first: bool,
}

/// The parameters of an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    params: HashMap<String, Param>,
    /// Whether what is not known is refused.
    strict: bool,
    takes_file: bool,
    /// The parameter that a body without names is: a list.
    whole: Option<String>,
}

/// The most parameters that a form or query may have.
const MAX_PARAMS: usize = 1000;
/// How deep JSON may be nested.
const MAX_DEPTH: usize = 32;
/// What marks a parameter that is not in the body, but the body itself.
pub(crate) const WHOLE_BODY: &str = "x-whole-body";
/// What marks a parameter of which the first one counts.
const FIRST: &str = "x-first-of-several";

impl Shape {
    pub(crate) fn of<E: Endpoint>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<E>();
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let whole = properties.iter().find(|(_, schema)| schema.get(WHOLE_BODY).is_some()).map(|(name, _)| name.clone());
        let takes_file = properties.values().any(|schema| schema.get("format").and_then(Value::as_str) == Some("binary"));
        let params = properties.into_iter().map(|(name, schema)| (name, param(&schema))).collect();
        Self { params, strict: E::META.auth == Auth::SecretKey, takes_file, whole }
    }

    /// Whether the body may be a file: one of the parameters is declared as `binary`.
    pub(crate) fn takes_file(&self) -> bool {
        self.takes_file
    }

    /// Reads path, query and body into one object. The path wins over the body, the body over the query.
    pub(crate) fn read(
        &self,
        path: &[(String, String)],
        query: Option<&str>,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Value, ApiError> {
        let mut out = Map::new();
        let fields = form(query.unwrap_or_default().as_bytes())?;
        self.take_form(&mut out, fields)?;
        match body_kind(headers, body)? {
            BodyKind::None => {}
            BodyKind::Form => self.take_form(&mut out, form(body)?)?,
            BodyKind::Json => self.take_json(&mut out, body)?,
        }
        for (name, value) in path {
            out.insert(name.clone(), Value::String(value.clone()));
        }
        Ok(Value::Object(out))
    }

    fn take_form(&self, out: &mut Map<String, Value>, fields: Vec<(String, Vec<String>)>) -> Result<(), ApiError> {
        for (name, mut values) in fields {
            // Old SDKs write nested objects with brackets, and lists as `name[]`.
            let (base, path) = brackets(&name);
            let Some(param) = self.params.get(base) else {
                // What begins so belongs to the protocol, whatever the operation.
                if self.strict && !base.starts_with('_') {
                    return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param(base));
                }
                continue;
            };
            match (&param.kind, path) {
                (Kind::Object, Some(path)) if !path.is_empty() => {
                    let value = values.into_iter().next_back().map_or(Value::Null, Value::String);
                    let entry = out.entry(base.to_owned()).or_insert_with(|| Value::Object(Map::new()));
                    put(entry, path, value).ok_or_else(|| type_error(base))?;
                }
                (_, None) | (Kind::List(_), Some("")) => {
                    if param.first {
                        values.truncate(1);
                    }
                    let value = coerce(&param.kind, base, values)?;
                    if value.is_null() && !param.nullable {
                        continue;
                    }
                    out.insert(base.to_owned(), value);
                }
                _ => return Err(type_error(base)),
            }
        }
        Ok(())
    }

    fn take_json(&self, out: &mut Map<String, Value>, body: &Bytes) -> Result<(), ApiError> {
        // Typed clients write a body that is left out so.
        if body.trim_ascii() == b"null" {
            return Ok(());
        }
        if depth(body) > MAX_DEPTH {
            return Err(codes::REQUEST_BODY_INVALID.into());
        }
        if let Some(name) = &self.whole {
            let items: Vec<Object> = serde_json::from_slice(body).map_err(|e| body_error(&e))?;
            out.insert(name.clone(), items.into_iter().map(|Object(fields)| Value::Object(fields)).collect());
            return Ok(());
        }
        let Object(fields) = serde_json::from_slice(body).map_err(|e| body_error(&e))?;
        for (name, value) in fields {
            let Some(param) = self.params.get(&name) else {
                if self.strict {
                    return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param(name));
                }
                continue;
            };
            let fits = match (&param.kind, &value) {
                (_, Value::Null) if param.nullable => true,
                (Kind::Any, _) => true,
                (kind, value) => fits(kind, value),
            };
            if !fits {
                return Err(type_error(&name));
            }
            out.insert(name, value);
        }
        Ok(())
    }
}

/// The library names a repeated key; everything else is told in our own words.
fn body_error(error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let repeated = text.strip_prefix("duplicate key ").and_then(|rest| rest.split('`').nth(1).map(str::to_owned));
    match repeated {
        Some(name) => ApiError::new(codes::FORM_PARAM_DUPLICATE).param(name),
        None => codes::REQUEST_BODY_INVALID.into(),
    }
}

/// A JSON object in which no key comes twice: two readers of one body must not see two different values.
struct Object(Map<String, Value>);

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut input: A) -> Result<Object, A::Error> {
                let mut out = Map::new();
                while let Some((key, value)) = input.next_entry::<String, Value>()? {
                    if out.insert(key.clone(), value).is_some() {
                        return Err(serde::de::Error::custom(format!("duplicate key `{key}`")));
                    }
                }
                Ok(Object(out))
            }
        }
        input.deserialize_map(Visitor)
    }
}

fn type_error(name: &str) -> ApiError {
    ApiError::new(codes::FORM_PARAM_TYPE_INVALID).param(name)
}

fn param(schema: &Value) -> Param {
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let nullable = kinds.is_empty() || kinds.contains(&"null");
    let kind = match kinds.iter().find(|kind| **kind != "null") {
        Some(&"string") => Kind::Text,
        Some(&"boolean") => Kind::Flag,
        Some(&"integer" | &"number") => Kind::Number,
        Some(&"array") => Kind::List(Box::new(schema.get("items").map_or(Kind::Any, |items| param(items).kind))),
        Some(&"object") => Kind::Object,
        _ => Kind::Any,
    };
    Param { kind, nullable, first: schema.get(FIRST).is_some() }
}

fn fits(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.as_str().is_some_and(|text| !text.contains('\0')),
        Kind::Flag => value.is_boolean(),
        Kind::Number => value.is_i64(),
        Kind::List(of) => value.as_array().is_some_and(|items| items.iter().all(|item| fits(of, item))),
        Kind::Object => value.is_object(),
        Kind::Any => true,
    }
}

/// Values of a form are text; an empty one means null.
fn coerce(kind: &Kind, name: &str, mut values: Vec<String>) -> Result<Value, ApiError> {
    if let Kind::List(of) = kind {
        let items = values.into_iter().filter(|v| !v.is_empty()).map(|v| coerce(of, name, vec![v]));
        return items.collect::<Result<_, _>>().map(Value::Array);
    }
    if values.len() > 1 {
        return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param(name));
    }
    let text = values.pop().unwrap_or_default();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Text | Kind::Any if text.contains('\0') => Err(type_error(name)),
        Kind::Text | Kind::Any => Ok(Value::String(text)),
        Kind::Flag => match text.as_str() {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(type_error(name)),
        },
        Kind::Number => text.parse::<i64>().map(Value::from).map_err(|_| type_error(name)),
        Kind::Object if depth(text.as_bytes()) > MAX_DEPTH => Err(type_error(name)),
        Kind::Object => serde_json::from_str::<Map<String, Value>>(&text).map(Value::Object).map_err(|_| type_error(name)),
        Kind::List(_) => Err(type_error(name)),
    }
}

/// `a[b][c]` is `a` and `b][c`; `a[]` is `a` and nothing.
fn brackets(name: &str) -> (&str, Option<&str>) {
    match name.split_once('[') {
        Some((base, rest)) => (base, Some(rest.strip_suffix(']').unwrap_or(rest))),
        None => (name, None),
    }
}

fn put(at: &mut Value, path: &str, value: Value) -> Option<()> {
    let mut keys = path.split("][").peekable();
    let mut at = at;
    let mut level = 0;
    while let Some(key) = keys.next() {
        level += 1;
        if level > MAX_DEPTH {
            return None;
        }
        let fields = at.as_object_mut()?;
        if keys.peek().is_none() {
            fields.insert(key.to_owned(), value);
            return Some(());
        }
        at = fields.entry(key.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    }
    None
}

/// How deep the brackets of a JSON text nest: counted without parsing, so that no parser is sent down there.
fn depth(text: &[u8]) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// The fields of a form in order, each with all its values.
fn form(bytes: &[u8]) -> Result<Vec<(String, Vec<String>)>, ApiError> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    for (n, (name, value)) in form_urlencoded::parse(bytes).enumerate() {
        // The library replaces what is not UTF-8 by this character; nobody types it.
        if n >= MAX_PARAMS || name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(codes::MALFORMED_REQUEST_PARAMETERS.into());
        }
        let at = *index.entry(name.to_string()).or_insert_with(|| {
            out.push((name.to_string(), Vec::new()));
            out.len() - 1
        });
        out[at].1.push(value.into_owned());
    }
    Ok(out)
}

enum BodyKind {
    None,
    Form,
    Json,
}

fn body_kind(headers: &HeaderMap, body: &Bytes) -> Result<BodyKind, ApiError> {
    if body.is_empty() {
        return Ok(BodyKind::None);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(BodyKind::Form)
    } else if kind.eq_ignore_ascii_case("application/json") {
        Ok(BodyKind::Json)
    } else {
        Err(codes::UNSUPPORTED_CONTENT_TYPE.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_wire::{bapi, fapi};
    use serde_json::json;

    fn headers(kind: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())])
    }

    fn form_of<E: Endpoint>(text: &str) -> Result<Value, ApiError> {
        Shape::of::<E>().read(&[], None, &headers("application/x-www-form-urlencoded"), &Bytes::copy_from_slice(text.as_bytes()))
    }

    fn json_of<E: Endpoint>(text: &str) -> Result<Value, ApiError> {
        Shape::of::<E>().read(&[], None, &headers("application/json"), &Bytes::copy_from_slice(text.as_bytes()))
    }

    fn query_of<E: Endpoint>(text: &str) -> Result<Value, ApiError> {
        Shape::of::<E>().read(&[], Some(text), &HeaderMap::new(), &Bytes::new())
    }

    #[test]
    fn forms_are_read_by_the_endpoint_s_own_types() {
        let input =
            form_of::<fapi::CreateSignUp>("email_address=a%40b.c&legal_accepted=true&first_name=&unsafe_metadata=%7B%22a%22%3A1%7D&tab=x")
                .unwrap();
        assert_eq!(input, json!({"email_address": "a@b.c", "legal_accepted": true, "first_name": null, "unsafe_metadata": {"a": 1}}));
        let nested = form_of::<fapi::CreateSignUp>("unsafe_metadata[a][b]=1&unsafe_metadata[c]=2").unwrap();
        assert_eq!(nested, json!({"unsafe_metadata": {"a": {"b": "1"}, "c": "2"}}));
        let users = query_of::<bapi::ListUsers>("limit=20&email_address=a&email_address=b&user_id[]=c&banned=false").unwrap();
        assert_eq!(users, json!({"limit": 20, "email_address": ["a", "b"], "user_id": ["c"], "banned": false}));
    }

    #[test]
    fn a_wrong_type_is_refused_by_name() {
        for (text, name) in
            [("limit=ten", "limit"), ("banned=maybe", "banned"), ("limit=99999999999999999999", "limit"), ("limit=1&limit=2", "limit")]
        {
            let error = query_of::<bapi::ListUsers>(text).unwrap_err();
            assert_eq!(error.meta().param_name.as_deref(), Some(name), "{text}");
            assert_eq!(error.status(), 422);
        }
        for (text, name) in
            [(r#"{"first_name": 1}"#, "first_name"), (r#"{"email_address": "a"}"#, "email_address"), (r#"{"fist_name": "a"}"#, "fist_name")]
        {
            assert_eq!(json_of::<bapi::CreateUser>(text).unwrap_err().meta().param_name.as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn fault_117_hostile_bodies_are_refused_cleanly() {
        let deep = format!("{{\"public_metadata\":{}1{}}}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        let many: String = (0..100_000).map(|n| format!("k{n}=v&")).collect();
        assert_eq!(json_of::<bapi::CreateUser>(&deep).unwrap_err().status(), 400);
        assert_eq!(form_of::<fapi::CreateSignIn>(&many).unwrap_err().status(), 400);
        assert_eq!(json_of::<bapi::CreateUser>(r#"{"first_name":"a","first_name":"b"}"#).unwrap_err().code().code, "form_param_duplicate");
        for bad in ["{", "[]", "nul", "\"x\"", "{\"first_name\":\"\\ud800\"}", "\u{feff}{}"] {
            assert_eq!(json_of::<bapi::CreateUser>(bad).unwrap_err().status(), 400, "{bad}");
        }
        assert_eq!(json_of::<bapi::CreateTestingToken>(" null\n").unwrap(), Value::Object(Map::new()), "no body at all");
        assert_eq!(json_of::<bapi::CreateUser>("{\"first_name\":\"a\\u0000b\"}").unwrap_err().status(), 422);
        assert_eq!(form_of::<fapi::CreateSignIn>("identifier=%ff%fe").unwrap_err().status(), 400);
        let other = Shape::of::<fapi::CreateSignIn>().read(&[], None, &headers("text/xml"), &Bytes::from_static(b"<a/>"));
        assert_eq!(other.unwrap_err().status(), 415);
    }

    #[test]
    fn fault_121_keys_that_mean_something_elsewhere_are_just_keys() {
        let text = r#"{"public_metadata":{"__proto__":{"admin":true},"constructor":1}}"#;
        assert_eq!(json_of::<bapi::CreateUser>(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}
