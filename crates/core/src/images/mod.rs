//! Pictures that users choose. What is uploaded is never served: it is decoded, made small and written anew.

mod picture;

use crate::app::{Scope, internal};
use crate::users;
use doorward_base::*;
use doorward_store::images::{self, ImageRecord};
use doorward_store::users::UserWithEmails;
use doorward_wire::resource::Image;
use picture::Refused;
use tokio::sync::Semaphore;

/// The most that a file may weigh.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;

/// Decoding takes up to [`picture::MAX_MEMORY`]: this many at once.
static DECODERS: Semaphore = Semaphore::const_new(2);

/// A file that somebody uploaded.
pub struct Upload<B> {
    /// What it is called.
    pub name: Option<String>,
    /// What it holds.
    pub bytes: B,
}

/// Makes a file a user's picture. The one from before is gone with that, and so is its address.
///
/// # Errors
/// `form_param_missing`, `form_param_exceeds_allowed_size` and `form_param_format_invalid` for `file`;
/// `resource_not_found` when the user is gone.
pub async fn set<B>(scope: &Scope, user: &UserId, file: Option<Upload<B>>) -> Result<Image, ApiError>
where
    B: AsRef<[u8]> + Send + 'static,
{
    users::load(scope, user).await?;
    let file = file.filter(|it| !it.bytes.as_ref().is_empty());
    let Upload { name, bytes } = file.ok_or_else(|| ApiError::new(codes::IMAGE_FILE_MISSING).param("file"))?;
    if bytes.as_ref().len() > MAX_BYTES {
        return Err(too_large());
    }
    let permit = DECODERS.acquire().await.map_err(ApiError::internal)?;
    // A decoder that panics takes its own task along and nothing else.
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        picture::read(bytes.as_ref())
    });
    let picture = match read.await {
        Ok(Ok(picture)) => picture,
        Ok(Err(Refused::Size)) => return Err(too_large()),
        Ok(Err(Refused::Format)) | Err(_) => {
            let error = ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("file");
            return Err(error.long("file must be a PNG, JPEG, GIF or WebP picture."));
        }
    };
    let record = ImageRecord {
        id: ImageId::new(scope.now, &scope.app.rng),
        user_id: user.clone(),
        name: file_name(name.as_deref()),
        content_type: picture.content_type.to_owned(),
        bytes: picture.bytes,
        created_at: scope.now,
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !images::replace(&mut tx, scope.ins(), &record).await.map_err(internal)? {
        return Err(ApiError::not_found("User", user));
    }
    tx.commit().await.map_err(internal)?;
    Ok(Image { object: "image".to_owned(), public_url: url(scope, &record.id), id: record.id, name: record.name })
}

/// Takes a user's picture away, and answers which it was.
///
/// # Errors
/// `resource_not_found` for the user, `image_not_found` when there is no picture.
pub async fn remove(scope: &Scope, user: &UserId) -> Result<ImageId, ApiError> {
    let before = users::load(scope, user).await?;
    let id = before.user.image_id.ok_or(codes::IMAGE_NOT_FOUND)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !images::remove(&mut tx, scope.ins(), user, scope.now).await.map_err(internal)? {
        return Err(codes::IMAGE_NOT_FOUND.into());
    }
    tx.commit().await.map_err(internal)?;
    Ok(id)
}

/// The picture of an address.
///
/// # Errors
/// `image_not_found`.
pub async fn get(scope: &Scope, id: &ImageId) -> Result<ImageRecord, ApiError> {
    images::get(scope.db(), scope.ins(), id).await.map_err(internal)?.ok_or_else(|| codes::IMAGE_NOT_FOUND.into())
}

/// Where everybody sees a user's picture, or the plain one that stands for those who chose none: the SDKs' components show
/// whatever address there is.
pub fn url_of(scope: &Scope, it: &UserWithEmails) -> String {
    match &it.user.image_id {
        Some(id) => url(scope, id),
        None => format!("{}/v1/images/plain/{}", scope.instance.frontend_url(), hue_of(&it.user.id)),
    }
}

fn url(scope: &Scope, id: &ImageId) -> String {
    format!("{}/v1/images/{id}", scope.instance.frontend_url())
}

/// The colour of a user's plain picture, in degrees. It follows the id, so that it is the same everywhere.
fn hue_of(user: &UserId) -> u16 {
    user.as_str().bytes().fold(0, |hue, byte| (hue * 31 + u16::from(byte)) % 360)
}

/// The plain picture of a colour, in degrees from 0 to 359, as SVG.
///
/// # Errors
/// `image_not_found` for what is no colour.
pub fn plain(hue: &str) -> Result<String, ApiError> {
    let hue = hue.parse::<u16>().ok().filter(|hue| *hue < 360).ok_or(codes::IMAGE_NOT_FOUND)?;
    let darker = (hue + 40) % 360;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\"><defs><linearGradient id=\"g\" x2=\"1\" y2=\"1\">\
         <stop stop-color=\"hsl({hue},60%,62%)\"/><stop offset=\"1\" stop-color=\"hsl({darker},60%,44%)\"/></linearGradient></defs>\
         <rect width=\"64\" height=\"64\" fill=\"url(#g)\"/><g fill=\"#fff\" fill-opacity=\".85\"><circle cx=\"32\" cy=\"25\" r=\"11\"/>\
         <path d=\"M10 64c0-15 10-23 22-23s22 8 22 23z\"/></g></svg>"
    ))
}

fn too_large() -> ApiError {
    ApiError::new(codes::FORM_PARAM_TOO_LARGE).param("file")
}

/// The last part of what a browser calls the file, as far as it can be shown.
fn file_name(sent: Option<&str>) -> String {
    let last = sent.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn of_a_file_s_name_only_what_can_be_shown_is_kept() {
        assert_eq!(file_name(Some("C:\\Users\\ada\\me.png")), "me.png");
        assert_eq!(file_name(Some("../../etc/passwd")), "passwd");
        assert_eq!(file_name(Some("a\u{0}\nb.png")), "ab.png");
        assert_eq!(file_name(Some(&"x".repeat(1000))).len(), 255);
        assert_eq!(file_name(None), "");
    }
}
