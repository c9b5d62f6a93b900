//! `/npm/..`: the official browser scripts, as `doorward sdk install` put them down.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, Request, State};
use axum::routing::get;
use http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

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
pub(crate) fn parts(version: &str) -> (Vec<u64>, bool) {
    let (main, pre) = version.split_once('-').map_or((version, None), |(main, pre)| (main, Some(pre)));
    (main.split('.').map(|n| n.parse().unwrap_or(0)).collect(), pre.is_none())
}

/// The newest installed version that `wanted` means: an exact one, the beginning of one, or `latest`. One that is being
/// tested is what `latest` means only when there is nothing else.
pub(crate) fn choose(installed: &[String], wanted: &str) -> Option<String> {
    let fits = |v: &&String| v.as_str() == wanted || wanted == "latest" || v.starts_with(&format!("{wanted}."));
    let order = |v: &&String| (v.as_str() == wanted, parts(v).1, parts(v));
    installed.iter().filter(fits).max_by_key(order).cloned()
}

/// The versions of a package that are installed.
pub(crate) fn installed(dir: &Path, package: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join(package)).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| !name.starts_with('.')).collect()
}

/// Where the scripts are, and how an operator gets there.
#[derive(Clone)]
struct Shelf {
    dir: Arc<PathBuf>,
    place: Arc<str>,
}

/// Serves the scripts from a directory. `place` is what a command needs to find it, such as ` --data-dir here`.
pub(crate) fn router(dir: PathBuf, place: &str) -> Router {
    let shelf = Shelf { dir: Arc::new(dir), place: place.into() };
    Router::new().route("/npm/{*path}", get(file)).with_state(shelf)
}

/// What a request for a script comes to.
enum Found {
    File { path: PathBuf, etag: String, exact: bool },
    Missing(String),
}

fn find(shelf: &Shelf, asked: &Asked<'_>) -> Found {
    let Asked { package, version: wanted, file } = asked;
    let Some(version) = choose(&installed(&shelf.dir, package), wanted) else {
        let command = format!("doorward sdk install {package}@{wanted}{}", shelf.place);
        return Found::Missing(format!("The script is not installed here. Install it with:\n\n    {command}\n"));
    };
    let path = shelf.dir.join(package).join(&version).join(file);
    // No link is followed: what npm brought is files.
    let Some(it) = std::fs::symlink_metadata(&path).ok().filter(std::fs::Metadata::is_file) else {
        return Found::Missing(format!("{package}@{version} has no file {file}.\n"));
    };
    let changed = it.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let etag = format!("\"{version}-{:x}-{:x}\"", it.len(), changed.as_nanos());
    Found::File { path, etag, exact: version == *wanted }
}

async fn file(State(shelf): State<Shelf>, UrlPath(path): UrlPath<String>, request: Request) -> Response<Body> {
    let found = tokio::task::spawn_blocking(move || {
        let asked = parse(&path)?;
        Some((find(&shelf, &asked), content_type(asked.file)))
    });
    let (path, etag, exact, kind) = match found.await {
        Ok(Some((Found::File { path, etag, exact }, kind))) => (path, etag, exact, kind),
        Ok(Some((Found::Missing(text), _))) => return missing(text),
        _ => return missing("There is no such script.\n".to_owned()),
    };
    let known = request.headers().get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).any(|v| v.contains(&etag));
    let mut response = if known {
        answer(StatusCode::NOT_MODIFIED, kind, Body::empty())
    } else {
        // In pieces: a crowd that asks for all of them must not hold all of them in memory.
        let Ok(served) = ServeFile::new(&path).oneshot(request).await;
        let (parts, body) = served.into_parts();
        let mut response = answer(parts.status, kind, Body::new(body));
        for name in [CONTENT_LENGTH, CONTENT_RANGE, ACCEPT_RANGES] {
            response.headers_mut().extend(parts.headers.get(&name).cloned().map(|value| (name, value)));
        }
        response
    };
    let cache = if exact { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response.headers_mut().extend(HeaderValue::from_str(&etag).ok().map(|value| (ETAG, value)));
    response
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
    answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", Body::from(text))
}

/// Scripts are the same for everybody and come without cookies, so that every page may have them.
fn answer(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
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
        assert_eq!(choose(&all, "5.127").as_deref(), Some("5.127.1"));
        assert_eq!(choose(&all, "5.127.1-canary.3").as_deref(), Some("5.127.1-canary.3"));
        assert_eq!(choose(&all, "4"), None);
        assert_eq!(choose(&all, "5.12"), None);
        let testing = ["6.0.0".to_owned(), "7.0.0-canary.1".to_owned()];
        assert_eq!(choose(&testing, "latest").as_deref(), Some("6.0.0"));
    }

    struct Shop {
        dir: tempfile::TempDir,
    }

    impl Shop {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            for (path, text) in [
                ("sdk/@clerk/clerk-js/5.1.0/dist/clerk.browser.js", "old"),
                ("sdk/@clerk/clerk-js/5.2.0/dist/clerk.browser.js", "new"),
                ("sdk/@clerk/clerk-js/5.2.0/dist/chunks/a_clerk.browser_1f2e3d_5.2.0.js", "chunk"),
                ("sdk/@clerk/clerk-js/5.2.0/package.json", "{}"),
                ("master.key", "secret"),
            ] {
                let at = dir.path().join(path);
                std::fs::create_dir_all(at.parent().unwrap()).unwrap();
                std::fs::write(at, text).unwrap();
            }
            std::os::unix::fs::symlink(dir.path().join("master.key"), dir.path().join("sdk/@clerk/clerk-js/5.2.0/dist/link.js")).unwrap();
            Self { dir }
        }

        async fn ask(&self, request: Request) -> (StatusCode, http::HeaderMap, String) {
            let router = router(self.dir.path().join("sdk"), " --data-dir here");
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
        }

        async fn get(&self, path: &str) -> (StatusCode, http::HeaderMap, String) {
            self.ask(Request::get(path).body(Body::empty()).unwrap()).await
        }
    }

    #[tokio::test]
    async fn a_major_version_is_its_newest_and_an_exact_one_lasts() {
        let shop = Shop::new();
        let (status, headers, text) = shop.get("/npm/@clerk/clerk-js@5/dist/clerk.browser.js").await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "new"));
        assert_eq!(
            (&headers["cache-control"], &headers["access-control-allow-origin"]),
            (&"public, max-age=300".parse().unwrap(), &"*".parse().unwrap())
        );
        assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
        let (_, headers, text) = shop.get("/npm/@clerk/clerk-js@5.1.0/dist/clerk.browser.js").await;
        assert!(text == "old" && headers["cache-control"].to_str().unwrap().contains("immutable"));
        assert_eq!(shop.get("/npm/@clerk/clerk-js@5.2.0/dist/chunks/a_clerk.browser_1f2e3d_5.2.0.js").await.2, "chunk");
        assert_eq!(shop.get("/npm/%40clerk/clerk-js%405/dist/clerk.browser.js").await.2, "new");
        let (status, headers, text) =
            shop.ask(Request::head("/npm/@clerk/clerk-js@latest/dist/clerk.browser.js").body(Body::empty()).unwrap()).await;
        assert_eq!((status, text.as_str(), &headers["content-length"]), (StatusCode::OK, "", &"3".parse().unwrap()));
    }

    #[tokio::test]
    async fn what_a_browser_has_is_not_sent_again() {
        let shop = Shop::new();
        let path = "/npm/@clerk/clerk-js@5/dist/clerk.browser.js";
        let etag = shop.get(path).await.1["etag"].clone();
        let request = Request::get(path).header("if-none-match", &etag).body(Body::empty()).unwrap();
        let (status, headers, text) = shop.ask(request).await;
        assert_eq!((status, text.as_str(), &headers["etag"]), (StatusCode::NOT_MODIFIED, "", &etag));
        let other = shop.get("/npm/@clerk/clerk-js@5.1.0/dist/clerk.browser.js").await.1["etag"].clone();
        assert_ne!(other, etag);
    }

    #[tokio::test]
    async fn what_is_not_there_says_how_to_get_it_and_nothing_else_is_reachable() {
        let shop = Shop::new();
        let (status, _, text) = shop.get("/npm/@clerk/clerk-js@4/dist/clerk.browser.js").await;
        assert!(status == StatusCode::NOT_FOUND && text.contains("doorward sdk install @clerk/clerk-js@4 --data-dir here\n"), "{text}");
        for path in [
            "/npm/@clerk/clerk-js@5/dist/link.js",
            "/npm/@clerk/clerk-js@5/dist/../package.json",
            "/npm/@clerk/clerk-js@5/dist/%2e%2e/package.json",
            "/npm/@clerk/clerk-js@5/dist/..%2fpackage.json",
            "/npm/@clerk/clerk-js@5/dist/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fmaster.key",
            "/npm/@clerk/clerk-js@..%2f..%2f..%2f/dist/master.key",
            "/npm/@clerk/clerk-js@5/dist/chunks",
            "/npm/@clerk/clerk-js@5/dist/%00",
            "/npm/@clerk/clerk-js@5/dist/%ff",
            "/npm//etc/passwd",
            "/npm/..%5c..%5cmaster.key",
        ] {
            let (status, _, text) = shop.get(path).await;
            assert!(status.is_client_error() && !text.contains("secret") && text != "{}", "{path}: {status} {text}");
        }
    }
}
