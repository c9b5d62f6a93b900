//! `/npm/..`: the official browser scripts, as `doorward sdk install` put them down.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::routing::get;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use std::path::{Path, PathBuf};

/// The packages whose scripts are served.
pub(crate) const PACKAGES: &[&str] = &["@clerk/clerk-js", "@clerk/ui"];

/// A package, which of its versions, and a file in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    pub(crate) package: &'static str,
    pub(crate) version: &'a str,
    pub(crate) file: &'a str,
}

/// Reads `@clerk/clerk-js@5/dist/clerk.browser.js`. Nothing else has that shape, so nothing else is ever opened.
pub(crate) fn parse(path: &str) -> Option<Asked<'_>> {
    let (package, rest) = PACKAGES.iter().find_map(|name| Some((*name, path.strip_prefix(name)?.strip_prefix('@')?)))?;
    let (version, file) = rest.split_once('/')?;
    let plain = |text: &str| {
        !text.is_empty() && !text.starts_with('.') && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    let inside = file.strip_prefix("dist/").is_some_and(|f| f.split('/').all(plain));
    (plain(version) && inside).then_some(Asked { package, version, file })
}

/// The parts of a version, to be compared. One that is being tested comes before the one that it will be.
fn parts(version: &str) -> (Vec<u64>, bool) {
    let (main, pre) = version.split_once('-').map_or((version, None), |(main, pre)| (main, Some(pre)));
    (main.split('.').map(|n| n.parse().unwrap_or(0)).collect(), pre.is_none())
}

/// The newest installed version that `wanted` means: an exact one, the beginning of one, or `latest`.
pub(crate) fn choose(installed: &[String], wanted: &str) -> Option<String> {
    let fits = |v: &&String| v.as_str() == wanted || wanted == "latest" || v.starts_with(&format!("{wanted}."));
    installed.iter().filter(fits).max_by_key(|v| parts(v)).cloned()
}

/// The versions of a package that are installed.
pub(crate) fn installed(dir: &Path, package: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join(package)).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| !name.starts_with('.')).collect()
}

/// Serves the scripts from a directory.
pub(crate) fn router(dir: PathBuf) -> Router {
    Router::new().route("/npm/{*path}", get(file)).with_state(dir)
}

async fn file(State(dir): State<PathBuf>, UrlPath(path): UrlPath<String>) -> Response<Body> {
    let Some(asked) = parse(&path) else { return missing("There is no such script.".to_owned()) };
    let Some(version) = choose(&installed(&dir, asked.package), asked.version) else {
        return missing(format!(
            "The script is not installed here. Install it with:\n\n    doorward sdk install {}@{}\n",
            asked.package, asked.version
        ));
    };
    let at = dir.join(asked.package).join(&version).join(asked.file);
    let Ok(bytes) = tokio::fs::read(&at).await else {
        return missing(format!("{}@{version} has no file {}.\n", asked.package, asked.file));
    };
    let exact = version == asked.version;
    let cache = if exact { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    answer(StatusCode::OK, content_type(asked.file), cache, bytes)
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("js" | "mjs" | "cjs") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("css") => "text/css; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn missing(text: String) -> Response<Body> {
    answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "no-store", text.into_bytes())
}

/// Scripts are the same for everybody and come without cookies, so that every page may have them.
fn answer(status: StatusCode, kind: &'static str, cache: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(http::header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_dist_have_a_name() {
        assert!(parse("@clerk/clerk-js@5/dist/clerk.browser.js").is_some());
        for bad in [
            "@clerk/clerk-js@5/dist/../../../etc/passwd",
            "@clerk/clerk-js@../../x/dist/a.js",
            "@clerk/clerk-js@5/package.json",
            "@clerk/clerk-js@5/dist//etc/passwd",
            "@clerk/clerk-js@5/dist/.hidden",
            "@evil/x@1/dist/a.js",
            "@clerk/clerk-js@/dist/a.js",
            "@clerk/clerk-js@5/dist/..\\x",
            "@clerk/clerk-js@5/dist/",
            "@clerk/clerk-js@.5/dist/a.js",
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_newest_version_that_fits_is_served() {
        let all: Vec<String> = ["5.9.0", "5.127.1", "5.127.1-canary.3", "6.0.0"].map(str::to_owned).to_vec();
        assert_eq!(choose(&all, "5").as_deref(), Some("5.127.1"));
        assert_eq!(choose(&all, "latest").as_deref(), Some("6.0.0"));
        assert_eq!(choose(&all, "5.9.0").as_deref(), Some("5.9.0"));
        assert_eq!(choose(&all, "4"), None);
    }
}
