//! `clerk-rs` keeps real things on the server that `CLERK_API_URL` and `CLERK_SECRET_KEY` name, API by API.
//!
//! Its models know neither other nulls nor other values of enumerations than the reference of its date.

// What the reference has deprecated is still what its old callers call.
#![allow(deprecated)]

use clerk_rs::apis::{
    actor_tokens_api, allow_list_block_list_api as lists_api, beta_features_api, clients_api, domains_api, email_addresses_api,
    email_sms_templates_api, instance_settings_api, invitations_api, jwks_api, jwt_templates_api, phone_numbers_api, redirect_urls_api,
    sessions_api, sign_in_tokens_api, sign_ups_api, testing_tokens_api, users_api, waitlist_entries_api,
};
use clerk_rs::models::*;
use clerk_rs::{Clerk, ClerkConfiguration};
use serde_json::{Value, json};
use std::error::Error;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let url = std::env::var("CLERK_API_URL")?;
    let config = ClerkConfiguration::new(std::env::var("CLERK_SECRET_KEY")?).with_base_path(format!("{url}/v1"));
    let config = &Clerk::new(config).config;
    users(config).await?;
    email_addresses(config).await?;
    phone_numbers(config).await?;
    invitations(config).await?;
    lists(config).await?;
    jwt_templates(config).await?;
    sessions(config).await?;
    tickets(config).await?;
    sign_ups(config).await?;
    waitlist_entries(config).await?;
    redirect_urls(config).await?;
    domains(config).await?;
    templates(config).await?;
    instance(config).await
}

async fn person(config: &ClerkConfiguration, name: &str) -> Outcome<User> {
    let new = CreateUserRequest {
        email_address: Some(vec![format!("{name}@rust.example")]),
        password: Some(Some("correct horse battery".to_owned())),
        first_name: Some(Some("Ada".to_owned())),
        ..CreateUserRequest::new()
    };
    Ok(users_api::create_user(config, new).await?)
}

/// What an app does that somebody uses: the attempt that it began, and the token of its client.
async fn visit(config: &ClerkConfiguration, path: &str, form: String) -> Outcome<(Value, String)> {
    let url = format!("{}/v1/client/{path}?_is_native=1", std::env::var("FRONTEND_URL")?);
    let request = config.client.post(url).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(form).send().await?.error_for_status()?;
    let token = answer.headers()["authorization"].to_str()?.to_owned();
    let mut body: Value = serde_json::from_str(&answer.text().await?)?;
    Ok((body["response"].take(), token))
}

async fn users(config: &ClerkConfiguration) -> Outcome {
    let made = person(config, "user").await?;
    assert_eq!(made.first_name.as_deref(), Some("Ada"));
    assert_eq!(made.email_addresses[0].email_address, "user@rust.example");

    let change = UpdateUserRequest { last_name: Some(Some("King".to_owned())), ..UpdateUserRequest::new() };
    users_api::update_user(config, &made.id, change).await?;
    let metadata =
        UpdateUserMetadataRequest { public_metadata: Some([("plan".to_owned(), "pro".into())].into()), ..UpdateUserMetadataRequest::new() };
    users_api::update_user_metadata(config, &made.id, Some(metadata)).await?;
    let read = users_api::get_user(config, &made.id).await?;
    assert_eq!(read.last_name.as_deref(), Some("King"));
    assert_eq!(read.public_metadata["plan"], "pro");

    assert!(users_api::ban_user(config, &made.id).await?.banned);
    assert!(!users_api::unban_user(config, &made.id).await?.banned);
    assert!(users_api::lock_user(config, &made.id).await?.locked);
    assert!(!users_api::unlock_user(config, &made.id).await?.locked);
    let right = Some(VerifyPasswordRequest::new("correct horse battery".to_owned()));
    assert_eq!(users_api::verify_password(config, &made.id, right).await?.verified, Some(true));
    let wrong = Some(VerifyPasswordRequest::new("wrong".to_owned()));
    assert!(users_api::verify_password(config, &made.id, wrong).await.is_err());

    assert!(users_api::delete_user(config, &made.id).await?.deleted);
    assert!(users_api::get_user(config, &made.id).await.is_err());
    Ok(())
}

async fn email_addresses(config: &ClerkConfiguration) -> Outcome {
    let user = person(config, "addresses").await?;
    let new = CreateEmailAddressRequest::new(user.id.clone(), "second@rust.example".to_owned());
    let made = email_addresses_api::create_email_address(config, Some(new)).await?;
    let id = &made.id.ok_or("an address has an id")?;
    assert!(made.verification.is_none());
    let change = UpdateEmailAddressRequest { verified: Some(Some(true)), primary: Some(Some(true)), ..UpdateEmailAddressRequest::new() };
    let changed = email_addresses_api::update_email_address(config, id, Some(change)).await?;
    assert!(matches!(changed.verification.as_deref(), Some(EmailAddressVerification::VerificationAdmin(_))));
    assert_eq!(email_addresses_api::get_email_address(config, id).await?, changed);
    assert_eq!(users_api::get_user(config, &user.id).await?.primary_email_address_id.as_ref(), Some(id));
    assert!(email_addresses_api::delete_email_address(config, id).await?.deleted);
    assert!(email_addresses_api::get_email_address(config, id).await.is_err());
    Ok(())
}

async fn phone_numbers(config: &ClerkConfiguration) -> Outcome {
    let user = person(config, "numbers").await?;
    let new = CreatePhoneNumberRequest {
        verified: Some(Some(true)),
        ..CreatePhoneNumberRequest::new(user.id.clone(), "+12024560193".to_owned())
    };
    let made = phone_numbers_api::create_phone_number(config, Some(new)).await?;
    let id = &made.id.ok_or("a number has an id")?;
    assert_eq!((made.phone_number.as_str(), made.reserved_for_second_factor), ("+12024560193", Some(false)));
    let change = UpdatePhoneNumberRequest { reserved_for_second_factor: Some(Some(true)), ..UpdatePhoneNumberRequest::new() };
    let changed = phone_numbers_api::update_phone_number(config, id, Some(change)).await?;
    assert_eq!(changed.reserved_for_second_factor, Some(true));
    assert_eq!(phone_numbers_api::get_phone_number(config, id).await?, changed);
    assert!(users_api::get_user(config, &user.id).await?.two_factor_enabled);
    assert!(phone_numbers_api::delete_phone_number(config, id).await?.deleted);
    assert!(users_api::get_user(config, &user.id).await?.phone_numbers.is_empty());
    Ok(())
}

async fn invitations(config: &ClerkConfiguration) -> Outcome {
    let new = CreateInvitationRequest {
        public_metadata: Some([("role".to_owned(), "guest".into())].into()),
        notify: Some(Some(false)),
        ..CreateInvitationRequest::new("guest@rust.example".to_owned())
    };
    let made = invitations_api::create_invitation(config, Some(new)).await?;
    assert_eq!((made.email_address.as_str(), &made.public_metadata["role"]), ("guest@rust.example", &json!("guest")));
    let pending = || invitations_api::list_invitations(config, Some("pending"), Some("guest@rust"), None, None, None, None);
    assert_eq!(pending().await?.iter().map(|it| &it.id).collect::<Vec<_>>(), [&made.id]);
    assert_eq!(invitations_api::revoke_invitation(config, &made.id).await?.id, made.id);
    assert!(pending().await?.is_empty());
    assert!(invitations_api::revoke_invitation(config, &made.id).await.is_err());
    Ok(())
}

async fn lists(config: &ClerkConfiguration) -> Outcome {
    let new = CreateAllowlistIdentifierRequest::new("*@rust.org".to_owned());
    let allowed = lists_api::create_allowlist_identifier(config, Some(new)).await?;
    let listed = lists_api::list_allowlist_identifiers(config, None, None, None).await?;
    assert_eq!(listed, [allowed.clone()]);
    assert_eq!(allowed.identifier.as_deref(), Some("*@rust.org"));
    assert!(lists_api::delete_allowlist_identifier(config, &allowed.id.unwrap_or_default()).await?.deleted);
    assert!(lists_api::list_allowlist_identifiers(config, None, None, None).await?.is_empty());

    let new = CreateBlocklistIdentifierRequest::new("+12024560194".to_owned());
    let blocked = lists_api::create_blocklist_identifier(config, Some(new)).await?;
    assert_eq!(lists_api::list_blocklist_identifiers(config).await?.data, [blocked.clone()]);
    assert!(lists_api::delete_blocklist_identifier(config, &blocked.id.unwrap_or_default()).await?.deleted);
    assert_eq!(lists_api::list_blocklist_identifiers(config).await?.total_count, 0);
    Ok(())
}

async fn jwt_templates(config: &ClerkConfiguration) -> Outcome {
    let claims = json!({"role": "{{user.first_name}}", "list": [1, null]});
    let new = CreateJwtTemplateRequest { lifetime: Some(Some(120)), ..CreateJwtTemplateRequest::new("rust".to_owned(), claims.clone()) };
    let made = jwt_templates_api::create_jwt_template(config, Some(new)).await?;
    assert_eq!((made.name.as_str(), &made.claims, made.lifetime), ("rust", &claims, 120));
    assert_eq!(jwt_templates_api::list_jwt_templates(config, None, None, None).await?, [made.clone()]);
    let change = CreateJwtTemplateRequest {
        lifetime: Some(Some(60)),
        ..CreateJwtTemplateRequest::new("rust-2".to_owned(), json!({"role": "fixed"}))
    };
    let changed = jwt_templates_api::update_jwt_template(config, &made.id, Some(change)).await?;
    assert_eq!((changed.name.as_str(), changed.lifetime), ("rust-2", 60));
    assert_eq!(jwt_templates_api::get_jwt_template(config, &made.id).await?, changed);

    let user = person(config, "templates").await?;
    let session = sessions_api::create_session(config, Some(CreateSessionRequest::new(user.id))).await?;
    let token = || sessions_api::create_session_token_from_template(config, &session.id, "rust-2", None);
    assert_eq!(token().await?.jwt.unwrap_or_default().split('.').count(), 3);
    assert!(jwt_templates_api::delete_jwt_template(config, &made.id).await?.deleted);
    assert!(token().await.is_err());
    Ok(())
}

async fn sessions(config: &ClerkConfiguration) -> Outcome {
    let user = person(config, "sessions").await?;
    let session = sessions_api::create_session(config, Some(CreateSessionRequest::new(user.id.clone()))).await?;
    assert_eq!(session.user_id, user.id);
    let of_user = |status| sessions_api::get_session_list(config, None, Some(&user.id), Some(status), None, None, None);
    assert_eq!(of_user("active").await?.len(), 1);
    let client = clients_api::get_client(config, &session.client_id).await?;
    assert_eq!((client.session_ids, &client.sessions[0].id), (vec![session.id.clone()], &session.id));
    assert!(clients_api::get_client_list(config, None, Some(100), None).await?.iter().any(|it| it.id == session.client_id));
    assert!(sessions_api::create_session_token(config, &session.id, None).await?.jwt.is_some());
    sessions_api::revoke_session(config, &session.id).await?;
    assert_eq!(sessions_api::get_session(config, &session.id).await?.id, of_user("revoked").await?[0].id);
    assert!(of_user("active").await?.is_empty());
    assert!(!jwks_api::get_jwks(config).await?.keys.unwrap_or_default().is_empty());
    assert!(testing_tokens_api::create_testing_token(config).await?.token.starts_with("dwt_"));
    Ok(())
}

async fn tickets(config: &ClerkConfiguration) -> Outcome {
    let user = person(config, "tickets").await?;
    let made = sign_in_tokens_api::create_sign_in_token(config, Some(CreateSignInTokenRequest::new(user.id.clone()))).await?;
    let ticket = made.token.ok_or("a new one has its token")?;
    let (attempt, token) = visit(config, "sign_ins", format!("strategy=ticket&ticket={ticket}")).await?;
    let client = clients_api::verify_client(config, Some(VerifyClientRequest { token })).await?;
    assert_eq!((json!(client.session_ids[0]), &client.sessions[0].user_id), (attempt["created_session_id"].clone(), &user.id));
    let unused = sign_in_tokens_api::create_sign_in_token(config, Some(CreateSignInTokenRequest::new(user.id.clone()))).await?;
    let revoked = sign_in_tokens_api::revoke_sign_in_token(config, &unused.id).await?;
    assert_eq!(revoked.status, sign_in_token::Status::Revoked);

    let new = || CreateActorTokenRequest::new(user.id.clone(), CreateActorTokenRequestActor::new("user_support".to_owned()));
    let made = actor_tokens_api::create_actor_token(config, Some(new())).await?;
    assert_eq!(made.actor, json!({"sub": "user_support"}));
    let ticket = made.token.ok_or("a new one has its token")?;
    let (attempt, _) = visit(config, "sign_ins", format!("strategy=ticket&ticket={ticket}")).await?;
    let session = sessions_api::get_session(config, attempt["created_session_id"].as_str().unwrap_or_default()).await?;
    assert_eq!(json!(session.actor)["sub"], "user_support");
    let unused = actor_tokens_api::create_actor_token(config, Some(new())).await?;
    assert_eq!(actor_tokens_api::revoke_actor_token(config, &unused.id).await?.status, actor_token::Status::Revoked);
    Ok(())
}

async fn sign_ups(config: &ClerkConfiguration) -> Outcome {
    let (begun, _) = visit(config, "sign_ups", "email_address=begun%40rust.example".to_owned()).await?;
    let id = begun["id"].as_str().ok_or("an attempt has an id")?;
    let change = UpdateSignUpRequest { external_id: Some(Some("rust-1".to_owned())), ..UpdateSignUpRequest::new() };
    sign_ups_api::update_sign_up(config, id, Some(change)).await?;
    let read = sign_ups_api::get_sign_up(config, id).await?;
    assert_eq!((read.email_address.as_deref(), read.external_id.as_deref()), (Some("begun@rust.example"), Some("rust-1")));
    Ok(())
}

async fn waitlist_entries(config: &ClerkConfiguration) -> Outcome {
    let new = |name: &str| {
        Some(CreateWaitlistEntryRequest { notify: Some(Some(false)), ..CreateWaitlistEntryRequest::new(format!("{name}@rust.example")) })
    };
    let later = waitlist_entries_api::create_waitlist_entry(config, new("later")).await?;
    let gone = waitlist_entries_api::create_waitlist_entry(config, new("gone")).await?;
    assert!(waitlist_entries_api::delete_waitlist_entry(config, &gone.id).await?.deleted);
    let invited = waitlist_entries_api::invite_waitlist_entry(config, &later.id, None).await?;
    assert_eq!(invited.status, waitlist_entry::Status::Invited);
    let listed = waitlist_entries_api::list_waitlist_entries(config, None, None, Some("rust.example"), None, None).await?;
    let shown: Vec<_> = listed.data.iter().map(|it| (it.email_address.as_str(), it.status)).collect();
    assert_eq!(shown, [("later@rust.example", invited.status)]);
    Ok(())
}

async fn redirect_urls(config: &ClerkConfiguration) -> Outcome {
    let made = redirect_urls_api::create_redirect_url(config, Some(CreateRedirectUrlRequest::new("rust://callback".to_owned()))).await?;
    assert_eq!(made.url, "rust://callback");
    assert_eq!(redirect_urls_api::list_redirect_urls(config, None, None, None).await?, [made.clone()]);
    assert!(redirect_urls_api::delete_redirect_url(config, &made.id).await?.deleted);
    assert!(redirect_urls_api::get_redirect_url(config, &made.id).await.is_err());
    Ok(())
}

async fn domains(config: &ClerkConfiguration) -> Outcome {
    let made = domains_api::add_domain(config, Some(AddDomainRequest::new("satellite.rust.example".to_owned(), true))).await?;
    let change = UpdateDomainRequest { name: Some(Some("moved.rust.example".to_owned())), ..UpdateDomainRequest::new() };
    domains_api::update_domain(config, &made.id, change).await?;
    let listed = domains_api::list_domains(config).await?;
    assert!(listed.data.iter().any(|it| it.id == made.id && it.name == "moved.rust.example" && it.is_satellite));
    assert!(domains_api::delete_domain(config, &made.id).await?.deleted);
    assert_eq!(domains_api::list_domains(config).await?.total_count, 1);
    Ok(())
}

async fn templates(config: &ClerkConfiguration) -> Outcome {
    let before = email_sms_templates_api::get_template(config, "sms", "verification_code").await?;
    let text = UpsertTemplateRequest {
        name: Some("Code".to_owned()),
        body: Some("{{otp_code}} it is".to_owned()),
        ..UpsertTemplateRequest::new()
    };
    let written = email_sms_templates_api::upsert_template(config, "sms", "verification_code", Some(text)).await?;
    assert_eq!(written.body.as_deref(), Some("{{otp_code}} it is"));
    assert_eq!(email_sms_templates_api::revert_template(config, "sms", "verification_code").await?.body, before.body);
    assert!(email_sms_templates_api::get_template_list(config, "email", None, Some(50), None).await?.len() > 5);
    Ok(())
}

async fn instance(config: &ClerkConfiguration) -> Outcome {
    let origins = |list: &[&str]| {
        let allowed_origins = Some(list.iter().map(|it| (*it).to_owned()).collect());
        Some(UpdateInstanceRequest { allowed_origins, ..UpdateInstanceRequest::new() })
    };
    instance_settings_api::update_instance(config, origins(&["http://localhost:3000"])).await?;
    assert_eq!(json!(instance_settings_api::get_instance(config).await?)["allowed_origins"], json!(["http://localhost:3000"]));
    instance_settings_api::update_instance(config, origins(&[])).await?;
    for on in [true, false] {
        let change = UpdateInstanceRestrictionsRequest { blocklist: Some(Some(on)), ..UpdateInstanceRestrictionsRequest::new() };
        assert_eq!(instance_settings_api::update_instance_restrictions(config, Some(change)).await?.blocklist, on);
    }
    assert!(!instance_settings_api::get_instance_organization_settings(config).await?.enabled);
    instance_settings_api::get_instance_communication(config).await?;
    instance_settings_api::get_instance_o_auth_application_settings(config).await?;
    instance_settings_api::get_instance_protect(config).await?;
    let change = UpdateInstanceAuthConfigRequest { restricted_to_allowlist: Some(Some(false)), ..UpdateInstanceAuthConfigRequest::new() };
    beta_features_api::update_instance_auth_config(config, Some(change)).await?;
    Ok(())
}
