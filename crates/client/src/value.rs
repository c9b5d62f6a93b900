//! JSON, as little of it as the core needs: a browser loads it. Numbers stay as they came, for nothing here computes with
//! fractions, and objects are lists, which are short.

use crate::read::read;
use crate::text::write;
use std::fmt;
use std::ops::Index;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`, and whatever is not there.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Names and values.
    Object(Map),
}

/// Names and values, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map(Vec<(String, Value)>);

impl Map {
    /// One without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a name; of the last one, where it stands there more than once.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rfind(|(it, _)| it == name).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().rfind(|(it, _)| it == name).map(|(_, value)| value)
    }

    /// Adds a name that is not there yet.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &(String, Value)> {
        self.0.iter()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

const NULL: &Value = &Value::Null;

impl Value {
    /// Null for what is no object and what it has not.
    pub fn get(&self, name: &str) -> &Value {
        self.as_object().and_then(|it| it.get(name)).unwrap_or(NULL)
    }

    /// A member, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        if let Self::Object(it) = self { it.get_mut(name) } else { None }
    }

    /// A member, taken out.
    pub fn take(&mut self, name: &str) -> Value {
        self.get_mut(name).map(std::mem::take).unwrap_or_default()
    }

    /// Its text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(it) = self { Some(it) } else { None }
    }

    /// A whole number.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(it) = self { it.parse().ok() } else { None }
    }

    /// Its parts.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(it) = self { Some(it) } else { None }
    }

    /// Its names and values.
    pub fn as_object(&self) -> Option<&Map> {
        if let Self::Object(it) = self { Some(it) } else { None }
    }

    /// None for what is no JSON.
    pub fn read(text: &str) -> Option<Value> {
        read(text)
    }
}

impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        write(self, &mut out);
        f.write_str(&out)
    }
}

impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}

impl From<&str> for Value {
    fn from(it: &str) -> Self {
        Self::String(it.to_owned())
    }
}

impl From<String> for Value {
    fn from(it: String) -> Self {
        Self::String(it)
    }
}

impl From<Map> for Value {
    fn from(it: Map) -> Self {
        Self::Object(it)
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq<bool> for Value {
    fn eq(&self, other: &bool) -> bool {
        matches!(self, Self::Bool(it) if it == other)
    }
}

// What programs use, in Rust, is `serde_json`. A browser loads none of it.

impl From<serde_json::Value> for Value {
    fn from(it: serde_json::Value) -> Self {
        match it {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(it) => Self::Bool(it),
            serde_json::Value::Number(it) => Self::Number(it.to_string()),
            serde_json::Value::String(it) => Self::String(it),
            serde_json::Value::Array(all) => Self::Array(all.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(all) => Self::Object(all.into_iter().collect()),
        }
    }
}

impl From<Value> for serde_json::Value {
    /// A number that no fraction can hold is null.
    fn from(it: Value) -> Self {
        match it {
            Value::Null => Self::Null,
            Value::Bool(it) => Self::Bool(it),
            Value::Number(it) => serde_json::from_str(&it).unwrap_or_default(),
            Value::String(it) => Self::String(it),
            Value::Array(all) => Self::Array(all.into_iter().map(Self::from).collect()),
            Value::Object(all) => Self::Object(all.0.into_iter().map(|(name, value)| (name, value.into())).collect()),
        }
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for Map {
    fn from(it: serde_json::Map<String, serde_json::Value>) -> Self {
        it.into_iter().collect()
    }
}
