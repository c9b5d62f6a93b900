use bytes::Bytes;
use doorward_base::ApiError;
use doorward_core::email_link::{self, Opened};
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::fapi::*;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};

/// A link may be opened by a program or fetched ahead; only the browser that asked for it is believed without a word.
pub(crate) async fn open(cx: &mut Cx, req: VerifyLink) -> Result<Raw, ApiError> {
    answer(cx, req.token.as_deref(), false).await
}

pub(crate) async fn confirm(cx: &mut Cx, req: ConfirmLink) -> Result<Raw, ApiError> {
    answer(cx, req.token.as_deref(), true).await
}

async fn answer(cx: &mut Cx, token: Option<&str>, confirmed: bool) -> Result<Raw, ApiError> {
    if (crate::client::is_ahead(cx) || cx.only_looks) && !confirmed {
        cx.raw = Some(page(cx, token.unwrap_or_default()));
        return Ok(Raw {});
    }
    let outcome = email_link::open(&cx.scope, &cx.caller, cx.current.clone(), token, confirmed).await?;
    cx.raw = Some(match cx.keep(outcome) {
        Opened::Redirect(to) => crate::client::redirect(StatusCode::SEE_OTHER, &to, &[])?,
        Opened::Ask => page(cx, token.unwrap_or_default()),
    });
    Ok(Raw {})
}

/// The page that asks whether it was a person who opened the link.
fn page(cx: &Cx, token: &str) -> Response<Bytes> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let (name, token) = (escape(&cx.scope.instance.settings.application_name), escape(token));
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Continue to {name}</title><style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;\
         margin:15vh auto;padding:0 1rem;text-align:center}}button{{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.5rem;\
         background:#2f4fd0;color:#fff;cursor:pointer}}</style></head><body><h1>Continue to {name}?</h1>\
         <p>This link was asked for on another device. Go on only if that was you.</p>\
         <form method=\"post\" action=\"?\"><input type=\"hidden\" name=\"token\" value=\"{token}\"><button>Continue</button></form>\
         </body></html>"
    );
    let mut response = Response::new(Bytes::from(text));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
        // With no referrer at all browsers call the form's origin "null". The token in the address goes nowhere else.
        (REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
