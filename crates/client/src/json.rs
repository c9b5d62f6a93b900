//! Configuration, commands, events and effects as JSON, for bindings that pass text.

use crate::calls::{Command, Step, TokenQuery};
use crate::effects::{Cookie, Effect, Event, Request};
use crate::{Config, Failure};
use serde_json::{Map, Value, json};

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Milliseconds may come as a number with a fraction.
fn time(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| value.as_f64().unwrap_or(0.0) as i64)
}

/// `{publishableKey, proxyUrl?, domain?, origin, href, cookies, hidden?, native?, clientToken?, seed}`; the seed is up to 16
/// hexadecimal digits.
///
/// # Errors
/// When it is no JSON object, or has no publishable key.
pub fn config(json: &str) -> Result<Config, String> {
    let it: Value = serde_json::from_str(json).map_err(|_| "the configuration must be a JSON object")?;
    let or_empty = |name: &str| text(&it[name]).unwrap_or_default();
    Ok(Config {
        publishable_key: text(&it["publishableKey"]).ok_or("a publishableKey is needed")?,
        proxy_url: text(&it["proxyUrl"]).filter(|url| !url.is_empty()),
        domain: text(&it["domain"]).filter(|domain| !domain.is_empty() && it["isSatellite"] == true),
        origin: or_empty("origin"),
        href: or_empty("href"),
        cookies: or_empty("cookies"),
        hidden: it["hidden"] == true,
        native: it["native"] == true,
        client_token: text(&it["clientToken"]),
        seed: u64::from_str_radix(&or_empty("seed"), 16).unwrap_or(1),
    })
}

/// `{call, now, do, params?}`: the number, the time (Unix milliseconds) and the command. None when it is none of these.
pub fn command(json: &str) -> Option<(u64, i64, Command)> {
    let mut it: Value = serde_json::from_str(json).ok()?;
    let (call, now, name) = (it["call"].as_u64()?, time(&it["now"]), text(&it["do"])?);
    let params = match it["params"].take() {
        Value::Object(params) => params,
        _ => Map::new(),
    };
    Some((call, now, named(&name, params)))
}

fn named(name: &str, params: Map<String, Value>) -> Command {
    let param = |name: &str| params.get(name).and_then(text);
    let nullable = |name: &str| params.get(name).map(text);
    match name {
        "load" => Command::Load,
        "reload" | "user.reload" => Command::Reload,
        "setActive" => Command::SetActive { session: nullable("session"), organization: nullable("organization") },
        "signOut" => Command::SignOut { session: param("sessionId") },
        "touch" => Command::Touch { session: param("session") },
        "getToken" => Command::GetToken(TokenQuery {
            session: param("session"),
            template: param("template"),
            organization: param("organizationId"),
            skip_cache: params.get("skipCache") == Some(&Value::Bool(true)),
        }),
        _ => match Step::named(name) {
            Some(step) => Command::Step(step, params),
            None => Command::Unknown(name.to_owned()),
        },
    }
}

/// `{now, event, ..}`: the time and what happened. None when it is none of these.
pub fn event(json: &str) -> Option<(i64, Event)> {
    let mut it: Value = serde_json::from_str(json).ok()?;
    let now = time(&it["now"]);
    let event = match it["event"].as_str()? {
        "response" => Event::Response {
            id: it["id"].as_u64()?,
            status: u16::try_from(it["status"].as_u64()?).ok()?,
            headers: it["headers"].as_object().into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), text(v)?))).collect(),
            body: text(&it["body"]).unwrap_or_default(),
        },
        "failed" => Event::Failed { id: it["id"].as_u64()? },
        "timer" => Event::Timer,
        "visible" => Event::Visible,
        "hidden" => Event::Hidden,
        "online" => Event::Online,
        "offline" => Event::Offline,
        "message" => Event::Message(it["data"].take()),
        "cookies" => Event::Cookies(text(&it["cookies"]).unwrap_or_default()),
        _ => return None,
    };
    Some((now, event))
}

/// A JSON array of objects that say by `do` what is to be done; nothing when there is nothing to do.
pub fn effects(effects: Vec<Effect>) -> Option<String> {
    if effects.is_empty() {
        return None;
    }
    Some(Value::Array(effects.into_iter().map(effect).collect()).to_string())
}

fn effect(effect: Effect) -> Value {
    match effect {
        Effect::Request(Request { id, method, url, headers, body, credentials }) => {
            let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            let credentials = if credentials { "include" } else { "omit" };
            let mut it = json!({"do": "request", "id": id, "method": method, "url": url, "headers": headers, "credentials": credentials});
            if let Some(body) = body {
                it["body"] = body.into();
            }
            it
        }
        Effect::Cookie(Cookie { name, value, same_site, secure }) => {
            json!({"do": "cookie", "name": name, "value": value, "maxAge": 31_536_000, "sameSite": same_site, "secure": secure, "path": "/"})
        }
        Effect::ClientToken(token) => json!({"do": "clientToken", "value": token}),
        Effect::Changed => json!({"do": "changed"}),
        Effect::Settle { call, outcome: Ok(value) } => json!({"do": "settle", "call": call, "value": value}),
        Effect::Settle { call, outcome: Err(failure) } => json!({"do": "settle", "call": call, "error": error(failure)}),
        Effect::Broadcast(data) => json!({"do": "broadcast", "data": data}),
        Effect::Timer(at) => json!({"do": "timer", "at": at}),
    }
}

fn error(it: Failure) -> Value {
    let Failure { code, message, status, errors, trace_id, retry_after } = it;
    json!({"code": code, "message": message, "status": status, "errors": errors, "clerkTraceId": trace_id, "retryAfter": retry_after})
}
