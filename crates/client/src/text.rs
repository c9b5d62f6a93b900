//! JSON to and from text. In a browser neither goes by way of `serde_json`, whose types are used all the same.

#[cfg(any(test, target_family = "wasm"))]
#[path = "read.rs"]
mod small;

use serde_json::Value;

/// Null for what is no JSON.
pub(crate) fn read(text: &str) -> Option<Value> {
    #[cfg(target_family = "wasm")]
    return small::read(text);
    #[cfg(not(target_family = "wasm"))]
    return serde_json::from_str(text).ok();
}

pub(crate) fn written(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(text, &mut out);
    out
}

/// Text as it was meant: a browser's reader marks it where it stands for a fraction.
pub(crate) fn plain(text: &str) -> &str {
    if cfg!(target_family = "wasm") { text.strip_prefix('\0').unwrap_or(text) } else { text }
}

#[cfg(target_family = "wasm")]
fn fraction(_: &serde_json::Number, _: &mut String) {}

#[cfg(not(target_family = "wasm"))]
fn fraction(number: &serde_json::Number, out: &mut String) {
    out.push_str(&number.to_string());
}

/// How deep it goes is bounded where it was read.
pub(crate) fn write(value: &Value, out: &mut String) {
    write_with(value, cfg!(target_family = "wasm"), out);
}

fn write_with(value: &Value, marked: bool, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => out.push_str(&whole.to_string()),
            (None, Some(whole)) => out.push_str(&whole.to_string()),
            (None, None) => fraction(number, out),
        },
        Value::String(text) if marked && text.starts_with('\0') => match text.as_bytes().get(1) {
            Some(0) => quote(&text[1..], out),
            _ => out.push_str(&text[1..]),
        },
        Value::String(text) => quote(text, out),
        Value::Array(all) => {
            out.push('[');
            for (at, one) in all.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_with(one, marked, out);
            }
            out.push(']');
        }
        Value::Object(all) => {
            out.push('{');
            for (at, (name, one)) in all.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(name, out);
                out.push(':');
                write_with(one, marked, out);
            }
            out.push('}');
        }
    }
}

fn quote(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..' ' => {
                out.push_str("\\u00");
                let digit = |at: u32| char::from(DIGITS[(at & 15) as usize]);
                out.extend([digit(letter as u32 >> 4), digit(letter as u32)]);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let numbers =
            prop_oneof![any::<i64>().prop_map(Value::from), any::<u64>().prop_map(Value::from), any::<f64>().prop_map(Value::from)];
        let strings = prop_oneof![any::<String>(), "[\u{0}-\u{1f}\"\\\\0-9]{0,8}"];
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), numbers, strings.prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    /// What a browser's reader marks, and the way back.
    fn unmarked(value: &Value) -> String {
        let mut out = String::new();
        write_with(value, true, &mut out);
        out
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(value in any_json()) {
            let theirs = value.to_string();
            let read: Value = serde_json::from_str(&theirs).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&written(&value)).unwrap(), &read);
            let small = small::read(&theirs).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&unmarked(&small)).unwrap(), &read);
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(small::read(&pretty), Some(small));
        }

        #[test]
        fn both_refuse_the_same(text in "[\\[\\]{}\"\\\\,:eE+.\\-0-9ntrue false\u{1}]{0,12}") {
            let theirs = serde_json::from_str::<Value>(&text);
            // A number that no fraction can hold is one that `serde_json` refuses; here it is not read as a number.
            if !theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
                prop_assert_eq!(small::read(&text).is_some(), theirs.is_ok(), "{}", text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            small::read(&text);
        }
    }

    #[test]
    fn escapes_and_depth() {
        assert_eq!(small::read(r#""\ud83d\ude00\u00e4\n\/""#), Some("\u{1f600}\u{e4}\n/".into()));
        assert_eq!(small::read(r#""\ud800x""#), Some("\u{fffd}x".into()));
        assert_eq!(small::read(&"[".repeat(100_000)), None);
        assert!(small::read(&["[".repeat(100), "]".repeat(100)].concat()).is_some());
    }
}
