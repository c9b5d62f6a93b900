//! Configuration, commands, events and effects as JSON, for bindings that pass text.

use crate::account::{Account, Area};
use crate::calls::{Command, Step, TokenQuery};
use crate::effects::{Cookie, Effect, Event, Request};
use crate::text::{quoted, written};
use crate::value::{Map, Value};
use crate::{Config, Failure};

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number_of(value: &Value) -> Option<u64> {
    value.as_i64()?.try_into().ok()
}

/// Milliseconds may come as a number with a fraction.
fn time(value: &Value) -> i64 {
    let Value::Number(text) = value else { return 0 };
    text.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or(0)
}

/// `{publishableKey, proxyUrl?, domain?, origin, href, cookies, hidden?, native?, clientToken?, seed}`; the seed is up to 16
/// hexadecimal digits.
///
/// # Errors
/// When it is no JSON object, or has no publishable key.
pub fn config(json: &str) -> Result<Config, String> {
    let it = Value::read(json).ok_or("the configuration must be a JSON object")?;
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
    let mut it = Value::read(json)?;
    let (call, now, name) = (number_of(&it["call"])?, time(&it["now"]), text(&it["do"])?);
    let params = match it.take("params") {
        Value::Object(params) => params,
        _ => Map::new(),
    };
    Some((call, now, named(&name, params).unwrap_or(Command::Unknown(name))))
}

fn named(name: &str, params: Map) -> Option<Command> {
    let param = |name: &str| params.get(name).and_then(text);
    let nullable = |name: &str| params.get(name).map(text);
    Some(match name {
        "me" => return account(Area::Me, params),
        "verification" => return account(Area::Verification, params),
        "load" => Command::Load,
        "reload" | "user.reload" => Command::Reload,
        "captcha" => Command::Captcha(params),
        "setActive" => Command::SetActive { session: nullable("session"), organization: nullable("organization") },
        "signOut" => Command::SignOut { session: param("sessionId") },
        "touch" => Command::Touch { session: param("session") },
        "getToken" => Command::GetToken(TokenQuery {
            session: param("session"),
            template: param("template"),
            organization: param("organizationId"),
            skip_cache: params.get("skipCache") == Some(&Value::Bool(true)),
        }),
        _ => Command::Step(Step::named(name)?, params),
    })
}

/// `{method, path, params?, file?}`: the path as a list of what stands between its slashes.
fn account(area: Area, mut params: Map) -> Option<Command> {
    let path = params.get("path")?.as_array()?.iter().map(text).collect::<Option<_>>()?;
    let call = Account::new(area, params.get("method")?.as_str()?, path)?.with_file(params.get("file").and_then(text));
    Some(Command::Account(match params.get_mut("params").map(std::mem::take) {
        Some(Value::Object(params)) => call.with(params),
        _ => call,
    }))
}

/// `{now, event, ..}`: the time and what happened. None when it is none of these.
pub fn event(json: &str) -> Option<(i64, Event)> {
    let mut it = Value::read(json)?;
    let now = time(&it["now"]);
    let event = match it["event"].as_str()? {
        "response" => Event::Response {
            id: number_of(&it["id"])?,
            status: u16::try_from(it["status"].as_i64()?).ok()?,
            headers: it["headers"].as_object().into_iter().flat_map(Map::iter).filter_map(|(k, v)| Some((k.clone(), text(v)?))).collect(),
            body: text(&it["body"]).unwrap_or_default(),
        },
        "failed" => Event::Failed { id: number_of(&it["id"])? },
        "timer" => Event::Timer,
        "visible" => Event::Visible,
        "hidden" => Event::Hidden,
        "online" => Event::Online,
        "offline" => Event::Offline,
        "message" => Event::Message(it.take("data")),
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
    let mut out = String::new();
    for it in &effects {
        out.push_str(if out.is_empty() { "[{\"do\":\"" } else { ",{\"do\":\"" });
        effect(it, &mut out);
        out.push('}');
    }
    out.push(']');
    Some(out)
}

/// `,"name":value`
fn member(out: &mut String, name: &str, value: &str) {
    out.extend([",\"", name, "\":", value]);
}

fn or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quoted)
}

fn number(value: Option<i64>) -> String {
    value.map_or_else(|| "null".to_owned(), |n| n.to_string())
}

fn effect(effect: &Effect, out: &mut String) {
    match effect {
        Effect::Request(Request { id, method, url, headers, body, credentials }) => {
            out.push_str("request\"");
            member(out, "id", &id.to_string());
            member(out, "method", &quoted(method));
            member(out, "url", &quoted(url));
            let headers: Map = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            member(out, "headers", &written(&headers.into()));
            member(out, "credentials", if *credentials { "\"include\"" } else { "\"omit\"" });
            if let Some(body) = body {
                member(out, "body", &quoted(body));
            }
        }
        Effect::Cookie(Cookie { name, value, same_site, secure }) => {
            out.push_str("cookie\",\"maxAge\":31536000,\"path\":\"/\"");
            member(out, "name", &quoted(name));
            member(out, "value", &or_null(value.as_deref()));
            member(out, "sameSite", &quoted(same_site));
            member(out, "secure", if *secure { "true" } else { "false" });
        }
        Effect::ClientToken(token) => {
            out.push_str("clientToken\"");
            member(out, "value", &or_null(token.as_deref()));
        }
        Effect::Changed => out.push_str("changed\""),
        Effect::Settle { call, outcome } => {
            out.push_str("settle\"");
            member(out, "call", &call.to_string());
            match outcome {
                Ok(value) => member(out, "value", &written(value)),
                Err(failure) => error(failure, out),
            }
        }
        Effect::Broadcast(data) => {
            out.push_str("broadcast\"");
            member(out, "data", &written(data));
        }
        Effect::Timer(at) => {
            out.push_str("timer\"");
            member(out, "at", &number(*at));
        }
    }
}

fn error(it: &Failure, out: &mut String) {
    out.extend([",\"error\":{\"code\":", &quoted(&it.code)]);
    member(out, "message", &quoted(&it.message));
    member(out, "status", &it.status.to_string());
    member(out, "errors", &written(&Value::Array(it.errors.clone())));
    member(out, "clerkTraceId", &or_null(it.trace_id.as_deref()));
    member(out, "retryAfter", &number(it.retry_after));
    out.push('}');
}
