//! JSON as text.

use crate::value::Value;

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

/// How deep it goes is bounded where it was read.
pub(crate) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number),
        Value::String(text) => quote(text, out),
        Value::Array(all) => {
            out.push('[');
            for (at, one) in all.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(one, out);
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
                write(one, out);
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
    use crate::read::read;
    use proptest::prelude::*;
    use serde_json::Value as Json;

    fn any_json() -> impl Strategy<Value = Json> {
        let numbers = prop_oneof![any::<i64>().prop_map(Json::from), any::<u64>().prop_map(Json::from), any::<f64>().prop_map(Json::from)];
        let strings = prop_oneof![any::<String>(), "[\u{0}-\u{1f}\"\\\\0-9]{0,8}"];
        let leaf = prop_oneof![Just(Json::Null), any::<bool>().prop_map(Json::from), numbers, strings.prop_map(Json::from)];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(value in any_json()) {
            let theirs = value.to_string();
            let ours = read(&theirs).unwrap();
            let json: Json = serde_json::from_str(&theirs).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Json>(&written(&ours)).unwrap(), &json);
            prop_assert_eq!(&Json::from(ours.clone()), &json);
            prop_assert_eq!(Value::from(json.clone()), read(&json.to_string()).unwrap());
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(read(&pretty), Some(ours));
        }

        #[test]
        fn both_refuse_the_same(text in "[\\[\\]{}\"\\\\,:eE+.\\-0-9ntrue false\u{1}]{0,12}") {
            let theirs = serde_json::from_str::<Json>(&text);
            // A number that no fraction can hold is one that `serde_json` refuses; here it is not read as a number.
            if !theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
                prop_assert_eq!(read(&text).is_some(), theirs.is_ok(), "{}", text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            read(&text);
        }
    }

    #[test]
    fn escapes_and_depth() {
        assert_eq!(read(r#""\ud83d\ude00\u00e4\n\/""#), Some("\u{1f600}\u{e4}\n/".into()));
        assert_eq!(read(r#""\ud800x""#), Some("\u{fffd}x".into()));
        assert_eq!(read(&"[".repeat(100_000)), None);
        assert!(read(&["[".repeat(100), "]".repeat(100)].concat()).is_some());
    }
}
