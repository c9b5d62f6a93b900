//! The OpenAPI document as a page that a person can read: one static text, no script, nothing from outside.

use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}\
code{font:14px ui-monospace,monospace}h2{margin-top:2.5rem;border-bottom:1px solid #8884}h3{margin:1.5rem 0 .25rem;font-weight:500}\
.m{display:inline-block;min-width:4.5rem;font-weight:700}table{border-collapse:collapse;margin:.5rem 0;width:100%}\
td,th{border:1px solid #8884;padding:.25rem .5rem;text-align:left;vertical-align:top}\
@media(prefers-color-scheme:dark){body{background:#161618;color:#e6e6ea}}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn type_of(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

fn row(name: &str, place: &str, schema: &Value, description: &str) -> String {
    format!("<tr><td><code>{}</code></td><td>{place}</td><td>{}</td><td>{}</td></tr>", escape(name), type_of(schema), escape(description))
}

fn operation(path: &str, method: &str, it: &Value) -> String {
    let id = text(it, "operationId");
    let mut rows = String::new();
    for parameter in it.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        rows.push_str(&row(text(parameter, "name"), text(parameter, "in"), schema, text(parameter, "description")));
    }
    let content = it.pointer("/requestBody/content").and_then(Value::as_object);
    let body = content.and_then(|c| c.values().next()).and_then(|c| c.pointer("/schema/properties")).and_then(Value::as_object);
    for (name, schema) in body.into_iter().flatten() {
        rows.push_str(&row(name, "body", schema, text(schema, "description")));
    }
    if !rows.is_empty() {
        rows = format!("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr>{rows}</table>");
    }
    format!(
        "<section id=\"{id}\"><h3><span class=\"m\">{}</span> <code>{}</code></h3><p>{}</p>{rows}</section>",
        method.to_uppercase(),
        escape(path),
        escape(text(it, "summary"))
    )
}

/// The page.
pub(crate) fn page(document: &Value) -> String {
    let title = escape(document.pointer("/info/title").and_then(Value::as_str).unwrap_or_default());
    let mut tags: Vec<(String, String)> = Vec::new();
    for (path, methods) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, it) in methods.as_object().into_iter().flatten() {
            let tag = it.pointer("/tags/0").and_then(Value::as_str).unwrap_or("Other").to_owned();
            let html = operation(path, method, it);
            match tags.iter_mut().find(|(name, _)| *name == tag) {
                Some((_, all)) => all.push_str(&html),
                None => tags.push((tag, html)),
            }
        }
    }
    let body: String = tags.iter().map(|(tag, html)| format!("<h2>{}</h2>{html}", escape(tag))).collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\
<p>The same as data: <a href=\"openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>{body}</body></html>"
    )
}
