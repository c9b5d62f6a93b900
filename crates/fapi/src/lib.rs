//! The Frontend API: one short function per endpoint.

mod client;
mod me;
mod me_password;
mod misc;
mod oauth;
mod passkeys;
mod phone_numbers;
mod profile_image;
mod reverification;
mod second_factors;
mod sessions;
mod sign_ins;
mod sign_ups;
mod trusted_devices;
mod verify;
mod waitlist;
mod web3_wallets;
mod well_known;

use doorward_gateway::Routes;
use doorward_wire::Api;
use doorward_wire::fapi::*;

/// All endpoints of the Frontend API.
pub fn routes() -> Routes {
    Routes::new(Api::Frontend)
        .with::<GetEnvironment>(|cx, req| Box::pin(misc::get_environment(cx, req)))
        .with::<UpdateEnvironment>(|cx, req| Box::pin(misc::update_environment(cx, req)))
        .with::<GetFrontendJwks>(|cx, req| Box::pin(misc::jwks(cx, req)))
        .with::<GetAssetLinks>(|cx, req| Box::pin(well_known::asset_links(cx, req)))
        .with::<GetAppleAppSiteAssociation>(|cx, req| Box::pin(well_known::apple(cx, req)))
        .with::<GetRelatedOrigins>(|cx, req| Box::pin(well_known::related_origins(cx, req)))
        .with::<RedirectToUrl>(|cx, req| Box::pin(well_known::redirect(cx, req)))
        .with::<CreateServiceToken>(|cx, req| Box::pin(well_known::service_token(cx, req)))
        .with::<GetHealth>(|cx, req| Box::pin(misc::health(cx, req)))
        .with::<GetProxyHealth>(|cx, req| Box::pin(misc::proxy_health(cx, req)))
        .with::<CreateDevBrowser>(|cx, req| Box::pin(misc::create_dev_browser(cx, req)))
        .with::<SetFirstPartyCookie>(|cx, req| Box::pin(misc::set_first_party_cookie(cx, req)))
        .with::<GetClient>(|cx, req| Box::pin(client::get(cx, req)))
        .with::<PutClient>(|cx, req| Box::pin(client::put(cx, req)))
        .with::<PostClient>(|cx, req| Box::pin(client::post(cx, req)))
        .with::<VerifyClient>(|cx, req| Box::pin(client::verify(cx, req)))
        .with::<DeleteClient>(|cx, req| Box::pin(client::delete(cx, req)))
        .with::<DeleteClientSessions>(|cx, req| Box::pin(client::delete_sessions(cx, req)))
        .with::<Handshake>(|cx, req| Box::pin(client::handshake(cx, req)))
        .with::<SyncClient>(|cx, req| Box::pin(client::sync(cx, req)))
        .with::<LinkClient>(|cx, req| Box::pin(client::link(cx, req)))
        .with::<TouchClient>(|cx, req| Box::pin(client::touch(cx, req)))
        .with::<GetSession>(|cx, req| Box::pin(sessions::get(cx, req)))
        .with::<TouchSession>(|cx, req| Box::pin(sessions::touch(cx, req)))
        .with::<CreateSessionToken>(|cx, req| Box::pin(sessions::token(cx, req)))
        .with::<CreateTemplateToken>(|cx, req| Box::pin(sessions::template_token(cx, req)))
        .with::<EndSession>(|cx, req| Box::pin(sessions::end(cx, req)))
        .with::<RemoveSession>(|cx, req| Box::pin(sessions::remove(cx, req)))
        .with::<CreateSignIn>(|cx, req| Box::pin(sign_ins::create(cx, req)))
        .with::<GetSignIn>(|cx, req| Box::pin(sign_ins::get(cx, req)))
        .with::<PrepareFirstFactor>(|cx, req| Box::pin(sign_ins::prepare_first(cx, req)))
        .with::<AttemptFirstFactor>(|cx, req| Box::pin(sign_ins::attempt_first(cx, req)))
        .with::<PrepareSecondFactor>(|cx, req| Box::pin(sign_ins::prepare_second(cx, req)))
        .with::<AttemptSecondFactor>(|cx, req| Box::pin(sign_ins::attempt_second(cx, req)))
        .with::<ResetPassword>(|cx, req| Box::pin(sign_ins::reset_password(cx, req)))
        .with::<OpenAgentTask>(|cx, req| Box::pin(client::open_agent_task(cx, req)))
        .with::<AcceptTicket>(|cx, req| Box::pin(sign_ins::accept_ticket(cx, req)))
        .with::<CreateSignUp>(|cx, req| Box::pin(sign_ups::create(cx, req)))
        .with::<UpdateSignUp>(|cx, req| Box::pin(sign_ups::update(cx, req)))
        .with::<UpdateCurrentSignUp>(|cx, req| Box::pin(sign_ups::update_current(cx, req)))
        .with::<GetSignUp>(|cx, req| Box::pin(sign_ups::get(cx, req)))
        .with::<PrepareVerification>(|cx, req| Box::pin(sign_ups::prepare(cx, req)))
        .with::<AttemptVerification>(|cx, req| Box::pin(sign_ups::attempt(cx, req)))
        .with::<JoinWaitlist>(|cx, req| Box::pin(waitlist::join(cx, req)))
        .with::<VerifyLink>(|cx, req| Box::pin(verify::open(cx, req)))
        .with::<ConfirmLink>(|cx, req| Box::pin(verify::confirm(cx, req)))
        .with::<StartReverification>(|cx, req| Box::pin(reverification::start(cx, req)))
        .with::<PrepareReverificationFirstFactor>(|cx, req| Box::pin(reverification::prepare_first(cx, req)))
        .with::<AttemptReverificationFirstFactor>(|cx, req| Box::pin(reverification::attempt_first(cx, req)))
        .with::<PrepareReverificationSecondFactor>(|cx, req| Box::pin(reverification::prepare_second(cx, req)))
        .with::<AttemptReverificationSecondFactor>(|cx, req| Box::pin(reverification::attempt_second(cx, req)))
        .with::<CreateTotp>(|cx, req| Box::pin(second_factors::create_totp(cx, req)))
        .with::<VerifyTotp>(|cx, req| Box::pin(second_factors::verify_totp(cx, req)))
        .with::<DeleteTotp>(|cx, req| Box::pin(second_factors::delete_totp(cx, req)))
        .with::<CreateBackupCodes>(|cx, req| Box::pin(second_factors::create_backup_codes(cx, req)))
        .with::<GetMe>(|cx, req| Box::pin(sessions::me(cx, req)))
        .with::<UpdateMe>(|cx, req| Box::pin(me::update(cx, req)))
        .with::<UpdateMyMetadata>(|cx, req| Box::pin(me::merge_metadata(cx, req)))
        .with::<DeleteMe>(|cx, req| Box::pin(me::delete(cx, req)))
        .with::<ListMyEmailAddresses>(|cx, req| Box::pin(me::list_emails(cx, req)))
        .with::<CreateMyEmailAddress>(|cx, req| Box::pin(me::create_email(cx, req)))
        .with::<GetMyEmailAddress>(|cx, req| Box::pin(me::get_email(cx, req)))
        .with::<PrepareMyEmailAddress>(|cx, req| Box::pin(me::prepare_email(cx, req)))
        .with::<AttemptMyEmailAddress>(|cx, req| Box::pin(me::attempt_email(cx, req)))
        .with::<DeleteMyEmailAddress>(|cx, req| Box::pin(me::delete_email(cx, req)))
        .with::<ListMyPhoneNumbers>(|cx, req| Box::pin(phone_numbers::list(cx, req)))
        .with::<CreateMyPhoneNumber>(|cx, req| Box::pin(phone_numbers::create(cx, req)))
        .with::<GetMyPhoneNumber>(|cx, req| Box::pin(phone_numbers::get(cx, req)))
        .with::<UpdateMyPhoneNumber>(|cx, req| Box::pin(phone_numbers::update(cx, req)))
        .with::<PrepareMyPhoneNumber>(|cx, req| Box::pin(phone_numbers::prepare(cx, req)))
        .with::<AttemptMyPhoneNumber>(|cx, req| Box::pin(phone_numbers::attempt(cx, req)))
        .with::<DeleteMyPhoneNumber>(|cx, req| Box::pin(phone_numbers::delete(cx, req)))
        .with::<ListMyWeb3Wallets>(|cx, req| Box::pin(web3_wallets::list(cx, req)))
        .with::<CreateMyWeb3Wallet>(|cx, req| Box::pin(web3_wallets::create(cx, req)))
        .with::<GetMyWeb3Wallet>(|cx, req| Box::pin(web3_wallets::get(cx, req)))
        .with::<PrepareMyWeb3Wallet>(|cx, req| Box::pin(web3_wallets::prepare(cx, req)))
        .with::<AttemptMyWeb3Wallet>(|cx, req| Box::pin(web3_wallets::attempt(cx, req)))
        .with::<DeleteMyWeb3Wallet>(|cx, req| Box::pin(web3_wallets::delete(cx, req)))
        .with::<ValidateTrustedDevice>(|cx, req| Box::pin(trusted_devices::validate(cx, req)))
        .with::<ListTrustedDevices>(|cx, req| Box::pin(trusted_devices::list(cx, req)))
        .with::<PrepareTrustedDevice>(|cx, req| Box::pin(trusted_devices::prepare(cx, req)))
        .with::<AttemptTrustedDevice>(|cx, req| Box::pin(trusted_devices::attempt(cx, req)))
        .with::<RevokeTrustedDevice>(|cx, req| Box::pin(trusted_devices::revoke(cx, req)))
        .with::<CreateMyPasskey>(|cx, req| Box::pin(passkeys::create(cx, req)))
        .with::<AttemptMyPasskey>(|cx, req| Box::pin(passkeys::attempt(cx, req)))
        .with::<GetMyPasskey>(|cx, req| Box::pin(passkeys::get(cx, req)))
        .with::<UpdateMyPasskey>(|cx, req| Box::pin(passkeys::update(cx, req)))
        .with::<DeleteMyPasskey>(|cx, req| Box::pin(passkeys::delete(cx, req)))
        .with::<OauthCallback>(|cx, req| Box::pin(oauth::callback(cx, req)))
        .with::<PostOauthCallback>(|cx, req| Box::pin(oauth::post_callback(cx, req)))
        .with::<ConnectExternalAccount>(|cx, req| Box::pin(oauth::connect(cx, req)))
        .with::<ReauthorizeExternalAccount>(|cx, req| Box::pin(oauth::reauthorize(cx, req)))
        .with::<DisconnectExternalAccount>(|cx, req| Box::pin(oauth::disconnect(cx, req)))
        .with::<RevokeExternalAccountTokens>(|cx, req| Box::pin(oauth::revoke_tokens(cx, req)))
        .with::<ChangePassword>(|cx, req| Box::pin(me_password::change(cx, req)))
        .with::<RemovePassword>(|cx, req| Box::pin(me_password::remove(cx, req)))
        .with::<UpdateProfileImage>(|cx, req| Box::pin(profile_image::update(cx, req)))
        .with::<DeleteProfileImage>(|cx, req| Box::pin(profile_image::delete(cx, req)))
        .with::<GetImage>(|cx, req| Box::pin(profile_image::show(cx, req)))
        .with::<GetPlainImage>(|cx, req| Box::pin(profile_image::show_plain(cx, req)))
        .with::<GetMySessions>(|cx, req| Box::pin(sessions::mine(cx, req)))
        .with::<GetMyActiveSessions>(|cx, req| Box::pin(sessions::mine_active(cx, req)))
        .with::<RevokeMySession>(|cx, req| Box::pin(sessions::revoke_mine(cx, req)))
}
