//! Files: the bodies of the few endpoints that take one. The official SDKs send a form of several parts (RFC 7578) with
//! the part `file`, or, from where there are no files, base64 as `application/octet-stream`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use doorward_base::{ApiError, codes};
use doorward_core::images::{MAX_BYTES, Upload};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The part that is the file.
const PART: &str = "file";
/// How many parts a form may have.
const MAX_PARTS: usize = 16;
/// The most that the body of an upload may weigh: the file in base64, and what is around it.
pub(crate) const MAX_BODY_BYTES: usize = MAX_BYTES / 3 * 4 + 64 * 1024;

/// With or without padding: not every app that writes base64 pads it.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The file in a body. None when the body is of another kind, or holds no file.
///
/// # Errors
/// `malformed_request_parameters`, `form_param_duplicate`.
pub(crate) async fn read(headers: &HeaderMap, body: &Bytes) -> Result<Option<Upload<Bytes>>, ApiError> {
    let (kind, name) = kind(headers);
    if name.eq_ignore_ascii_case("application/octet-stream") {
        return Ok(Some(Upload { name: None, bytes: plain(body) }));
    }
    if !name.eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let malformed = || ApiError::new(codes::MALFORMED_REQUEST_PARAMETERS);
    let boundary = multer::parse_boundary(kind).map_err(|_| malformed())?;
    let body = body.clone();
    let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(stream, boundary);
    let (mut found, mut seen) = (None, 0);
    while let Some(part) = parts.next_field().await.map_err(|_| malformed())? {
        seen += 1;
        if seen > MAX_PARTS {
            return Err(malformed());
        }
        if part.name() != Some(PART) {
            continue;
        }
        if found.is_some() {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param(PART));
        }
        let name = part.file_name().map(str::to_owned);
        found = Some(Upload { name, bytes: part.bytes().await.map_err(|_| malformed())? });
    }
    Ok(found)
}

/// Whether a body is a form of several parts.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    kind(headers).1.eq_ignore_ascii_case("multipart/form-data")
}

/// The content type, with and without its parameters.
fn kind(headers: &HeaderMap) -> (&str, &str) {
    let whole = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    (whole, whole.split(';').next().unwrap_or_default().trim())
}

/// Base64, also as a `data:` address (RFC 2397); or the file itself.
fn plain(body: &Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(body) else { return body.clone() };
    let text = match text.split_once(',') {
        Some((head, rest)) if head.starts_with("data:") && head.ends_with(";base64") => rest,
        _ => text,
    };
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(packed).map_or_else(|_| body.clone(), Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(kind: &str, body: &str) -> Result<Option<(Option<String>, Vec<u8>)>, ApiError> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
        let read = read(&headers, &Bytes::copy_from_slice(body.as_bytes())).await?;
        Ok(read.map(|it| (it.name, it.bytes.to_vec())))
    }

    fn part(name: &str, body: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"me.png\"\r\n\r\n{body}\r\n")
    }

    #[tokio::test]
    async fn the_file_of_a_form_is_found() {
        let kind = "multipart/form-data; boundary=x";
        let body = part("other", "1") + &part("file", "bytes") + "--x--\r\n";
        assert_eq!(of(kind, &body).await.unwrap(), Some((Some("me.png".to_owned()), b"bytes".to_vec())));
        assert_eq!(of(kind, &(part("other", "1") + "--x--\r\n")).await.unwrap(), None);
        let twice = part("file", "a") + &part("file", "b") + "--x--\r\n";
        assert_eq!(of(kind, &twice).await.unwrap_err().code().code, "form_param_duplicate");
        let many = part("other", "1").repeat(MAX_PARTS + 1) + "--x--\r\n";
        for (kind, bad) in [(kind, many.as_str()), (kind, "--x\r\n"), (kind, ""), ("multipart/form-data", &body)] {
            assert_eq!(of(kind, bad).await.unwrap_err().status(), 400, "{bad}");
        }
    }

    #[tokio::test]
    async fn apps_without_files_send_base64() {
        let kind = "application/octet-stream";
        for text in ["Ynl0ZXM=", "Ynl0ZXM", "Ynl0\r\nZXM=", "data:image/png;base64,Ynl0ZXM=", "bytes!"] {
            let expected = if text == "bytes!" { "bytes!" } else { "bytes" };
            assert_eq!(of(kind, text).await.unwrap(), Some((None, expected.as_bytes().to_vec())), "{text}");
        }
        assert_eq!(of("application/x-www-form-urlencoded", "file=Ynl0ZXM=").await.unwrap(), None);
    }
}
