//! `clerk-rs` keeps a user on the server that `CLERK_API_URL` and `CLERK_SECRET_KEY` name.

use clerk_rs::apis::{jwks_api, sessions_api, users_api};
use clerk_rs::models::{CreateSessionRequest, CreateUserRequest, UpdateUserMetadataRequest, UpdateUserRequest};
use clerk_rs::{Clerk, ClerkConfiguration};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("CLERK_API_URL")?;
    let config = ClerkConfiguration::new(std::env::var("CLERK_SECRET_KEY")?).with_base_path(format!("{url}/v1"));
    let config = &Clerk::new(config).config;

    let mut new = CreateUserRequest::new();
    new.email_address = Some(vec!["rust@example.com".to_owned()]);
    new.password = Some(Some("correct horse battery".to_owned()));
    new.first_name = Some(Some("Ada".to_owned()));
    let made = users_api::create_user(config, new).await?;
    assert_eq!(made.first_name.as_deref(), Some("Ada"));
    assert_eq!(made.email_addresses[0].email_address, "rust@example.com");

    let mut change = UpdateUserRequest::new();
    change.last_name = Some(Some("King".to_owned()));
    users_api::update_user(config, &made.id, change).await?;
    let mut metadata = UpdateUserMetadataRequest::new();
    metadata.public_metadata = Some([("plan".to_owned(), "pro".into())].into());
    users_api::update_user_metadata(config, &made.id, Some(metadata)).await?;
    let read = users_api::get_user(config, &made.id).await?;
    assert_eq!(read.last_name.as_deref(), Some("King"));
    assert_eq!(read.public_metadata["plan"], "pro");

    let session = sessions_api::create_session(config, Some(CreateSessionRequest::new(made.id.clone()))).await?;
    assert_eq!(session.user_id, made.id);
    sessions_api::revoke_session(config, &session.id).await?;
    assert!(!jwks_api::get_jwks(config).await?.keys.unwrap_or_default().is_empty());

    let gone = users_api::delete_user(config, &made.id).await?;
    assert!(gone.deleted);
    assert!(users_api::get_user(config, &made.id).await.is_err());
    Ok(())
}
