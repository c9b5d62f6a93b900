//! Pictures: what is sent, what is shown, and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_store::Sql;
use doorward_testkit::{Answer, Browser, TestServer};
use image::{DynamicImage, GenericImageView as _, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use std::io::Cursor;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const AT: &str = "/v1/me/profile_image";

async fn ada(server: &TestServer) -> Browser {
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    ada
}

fn picture(colour: [u8; 3]) -> Vec<u8> {
    let image: DynamicImage = RgbImage::from_pixel(60, 40, Rgb(colour)).into();
    let mut out = Vec::new();
    image.write_to(&mut Cursor::new(&mut out), ImageFormat::Png).unwrap();
    out
}

/// The path of an address on the first instance.
fn path(url: &Value) -> String {
    let url = url.as_str().unwrap();
    assert!(url.starts_with("http://"), "{url}");
    url::Url::parse(url).unwrap().path().to_owned()
}

fn backend(server: &TestServer) -> Browser {
    let mut out = server.browser().on_node(server.private);
    (out.origin, out.api_version) = (None, None);
    out.headers.push(("authorization".to_owned(), format!("Bearer {}", server.instance.secret_key.expose())));
    out
}

async fn kept(server: &TestServer) -> usize {
    server.app.db.all(Sql::new("SELECT id FROM images")).await.unwrap().len()
}

async fn delete(browser: &mut Browser) -> Answer {
    browser.post(&format!("{AT}?_method=DELETE"), &[]).await
}

#[tokio::test]
async fn a_picture_is_chosen_shown_everywhere_replaced_and_taken_away() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    assert_eq!(ada.get("/v1/me").await.response()["has_image"], false);
    delete(&mut ada).await.refused(404, "image_not_found", "");

    let made = ada.upload(AT, "me.png", &picture([255, 0, 0])).await;
    let image = made.response();
    assert_eq!((image["object"].as_str(), image["name"].as_str()), (Some("image"), Some("me.png")));
    let url = &image["public_url"];
    let session = &made.json["client"]["sessions"][0];
    for shown in [&session["user"], &session["public_user_data"]] {
        assert_eq!((&shown["image_url"], &shown["profile_image_url"], &shown["has_image"]), (url, url, &json!(true)));
    }
    let user = session["user"]["id"].as_str().unwrap();
    assert_eq!(&server.backend("GET", &format!("/v1/users/{user}"), None).await.expect(200)["image_url"], url);
    let started = server.browser().post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    assert_eq!(&started.response()["user_data"]["image_url"], url);

    let shown = server.browser().get(&path(url)).await;
    shown.expect(200);
    for (name, value) in [
        ("content-type", "image/jpeg"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(shown.headers[name], value, "{name}");
    }
    assert!(shown.set_cookies().is_empty());
    assert_eq!(image::load_from_memory(&shown.bytes).unwrap().dimensions(), (40, 40));

    let again = ada.upload(AT, "again.png", &picture([0, 255, 0])).await;
    let newer = &again.response()["public_url"];
    assert_ne!(newer, url, "another picture, another address");
    server.browser().get(&path(url)).await.refused(404, "image_not_found", "");
    let base64 = format!("data:image/png;base64,{}", STANDARD.encode(picture([0, 0, 255])));
    let native = ada.send("POST", AT, Some(("application/octet-stream", base64))).await;
    let last = native.response()["public_url"].clone();
    assert_eq!(kept(&server).await, 1, "the others are gone");

    let gone = delete(&mut ada).await;
    assert_eq!((gone.response()["object"].as_str(), gone.response()["deleted"].as_bool()), (Some("image"), Some(true)));
    let plain = ada.get("/v1/me").await.response()["image_url"].clone();
    assert_eq!(ada.get("/v1/me").await.response()["has_image"], false);
    let shown = server.browser().get(&path(&plain)).await;
    assert_eq!((shown.status, shown.headers["content-type"].to_str().unwrap()), (200, "image/svg+xml"), "{plain}");
    assert!(shown.text.starts_with("<svg ") && shown.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    server.browser().get("/v1/images/plain/360").await.refused(404, "image_not_found", "");
    server.browser().get(&path(&last)).await.refused(404, "image_not_found", "");
}

#[tokio::test]
async fn fault_113_what_is_no_picture_or_too_much_is_refused() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    for bytes in [&svg[..], b"GIF89a", &picture([1, 2, 3])[..40]] {
        ada.upload(AT, "me.png", bytes).await.refused(422, "form_param_format_invalid", "file");
    }
    ada.upload(AT, "me.png", b"").await.refused(400, "form_param_missing", "file");
    ada.post(AT, &[("file", "me.png")]).await.refused(400, "form_param_missing", "file");
    let mut huge = picture([1, 2, 3]);
    huge.resize(10 * 1024 * 1024 + 1, 0);
    ada.upload(AT, "me.png", &huge).await.refused(422, "form_param_exceeds_allowed_size", "file");
    huge.resize(15 * 1024 * 1024, 0);
    ada.upload(AT, "me.png", &huge).await.refused(413, "request_body_too_large", "");
    // Other endpoints take no more than before, however it is called.
    let other = ada.upload("/v1/me?_method=PATCH", "me.png", &huge[..300 * 1024]).await;
    other.refused(413, "request_body_too_large", "");
    assert_eq!(kept(&server).await, 0);
    assert_eq!(ada.get("/v1/me").await.response()["has_image"], false);
}

#[tokio::test]
async fn servers_choose_pictures_too_and_nobody_keeps_one_of_a_user_who_is_gone() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, PASSWORD).await;
    let at = format!("/v1/users/{user}/profile_image");
    let mut backend = backend(&server);
    let set = backend.upload(&at, "me.png", &picture([9, 9, 9])).await;
    let url = set.expect(200)["image_url"].clone();
    assert_eq!((&set.json["has_image"], &set.json["id"]), (&json!(true), &json!(user)));
    assert!(set.json["private_metadata"].is_object());
    server.another_instance("other.example.test").await;
    server.browser_on("other.example.test").get(&path(&url)).await.refused(404, "image_not_found", "");
    server.browser().get(&path(&url)).await.expect(200);

    assert_eq!(backend.send("DELETE", &at, None).await.expect(200)["has_image"], false);
    backend.send("DELETE", &at, None).await.refused(404, "image_not_found", "");
    backend.upload("/v1/users/user_none/profile_image", "me.png", &picture([9, 9, 9])).await.refused(404, "resource_not_found", "");
    backend.upload(&at, "me.png", &picture([8, 8, 8])).await.expect(200);
    server.backend("DELETE", &format!("/v1/users/{user}"), None).await.expect(200);
    assert_eq!(kept(&server).await, 0);
}

#[tokio::test]
async fn of_many_uploads_at_once_one_picture_is_left_and_it_is_the_one_that_is_shown() {
    let server = TestServer::start().await;
    let ada = ada(&server).await;
    let tries = (0..30_u8).map(|n| {
        let mut browser = ada.clone();
        async move { browser.upload(AT, "me.png", &picture([n, 0, 0])).await.status }
    });
    let done = futures_util::future::join_all(tries).await;
    assert!(done.iter().all(|status| matches!(status, 200 | 503)), "{done:?}");
    assert!(done.contains(&200), "{done:?}");
    assert_eq!(kept(&server).await, 1);
    let url = ada.clone().get("/v1/me").await.response()["image_url"].clone();
    server.browser().get(&path(&url)).await.expect(200);
}
