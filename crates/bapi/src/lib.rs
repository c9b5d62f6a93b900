//! The Backend API: one short function per endpoint, for servers that hold a secret key.

mod access;
mod clients;
mod domains;
mod email_addresses;
mod instance;
mod instance_features;
mod interstitial;
mod invitations;
mod jwt_templates;
mod misc;
mod oauth;
mod passkeys;
mod phone_numbers;
mod profile_image;
mod redirect_urls;
mod sessions;
mod sign_ups;
mod templates;
mod tickets;
mod trusted_devices;
mod user_factors;
mod users;
mod waitlist_entries;
mod web3_wallets;
mod webhooks;

use doorward_gateway::Routes;
use doorward_wire::Api;
use doorward_wire::bapi::*;

/// All endpoints of the Backend API.
pub fn routes() -> Routes {
    Routes::new(Api::Backend)
        .with::<ListUsers>(|cx, req| Box::pin(users::list(cx, req)))
        .with::<CountUsers>(|cx, req| Box::pin(users::count(cx, req)))
        .with::<CreateUser>(|cx, req| Box::pin(users::create(cx, req)))
        .with::<BanUsers>(|cx, req| Box::pin(users::ban_many(cx, req)))
        .with::<UnbanUsers>(|cx, req| Box::pin(users::unban_many(cx, req)))
        .with::<GetUser>(|cx, req| Box::pin(users::get(cx, req)))
        .with::<UpdateUser>(|cx, req| Box::pin(users::update(cx, req)))
        .with::<DeleteUser>(|cx, req| Box::pin(users::delete(cx, req)))
        .with::<UpdateUserMetadata>(|cx, req| Box::pin(users::merge_metadata(cx, req)))
        .with::<ReplaceUserMetadata>(|cx, req| Box::pin(users::replace_metadata(cx, req)))
        .with::<VerifyPassword>(|cx, req| Box::pin(users::verify_password(cx, req)))
        .with::<BanUser>(|cx, req| Box::pin(users::ban(cx, req)))
        .with::<UnbanUser>(|cx, req| Box::pin(users::unban(cx, req)))
        .with::<LockUser>(|cx, req| Box::pin(users::lock(cx, req)))
        .with::<UnlockUser>(|cx, req| Box::pin(users::unlock(cx, req)))
        .with::<ListUserOrganizationMemberships>(|cx, req| Box::pin(users::organization_memberships(cx, req)))
        .with::<ListUserOrganizationInvitations>(|cx, req| Box::pin(users::organization_invitations(cx, req)))
        .with::<RemoveUserPassword>(|cx, req| Box::pin(user_factors::remove_password(cx, req)))
        .with::<VerifyUserTotp>(|cx, req| Box::pin(user_factors::verify_totp(cx, req)))
        .with::<DisableUserMfa>(|cx, req| Box::pin(user_factors::disable_mfa(cx, req)))
        .with::<DeleteUserBackupCodes>(|cx, req| Box::pin(user_factors::delete_backup_codes(cx, req)))
        .with::<DeleteUserTotp>(|cx, req| Box::pin(user_factors::delete_totp(cx, req)))
        .with::<SetPasswordCompromised>(|cx, req| Box::pin(users::set_password_compromised(cx, req)))
        .with::<UnsetPasswordCompromised>(|cx, req| Box::pin(users::unset_password_compromised(cx, req)))
        .with::<SetUserProfileImage>(|cx, req| Box::pin(profile_image::set(cx, req)))
        .with::<DeleteUserProfileImage>(|cx, req| Box::pin(profile_image::delete(cx, req)))
        .with::<DeleteUserPasskey>(|cx, req| Box::pin(passkeys::delete(cx, req)))
        .with::<CreateEmailAddress>(|cx, req| Box::pin(email_addresses::create(cx, req)))
        .with::<GetEmailAddress>(|cx, req| Box::pin(email_addresses::get(cx, req)))
        .with::<UpdateEmailAddress>(|cx, req| Box::pin(email_addresses::update(cx, req)))
        .with::<DeleteEmailAddress>(|cx, req| Box::pin(email_addresses::delete(cx, req)))
        .with::<PrepareEmailAddressVerification>(|cx, req| Box::pin(email_addresses::prepare(cx, req)))
        .with::<AttemptEmailAddressVerification>(|cx, req| Box::pin(email_addresses::attempt(cx, req)))
        .with::<ReplaceUserEmailAddress>(|cx, req| Box::pin(email_addresses::replace(cx, req)))
        .with::<CreatePhoneNumber>(|cx, req| Box::pin(phone_numbers::create(cx, req)))
        .with::<GetPhoneNumber>(|cx, req| Box::pin(phone_numbers::get(cx, req)))
        .with::<UpdatePhoneNumber>(|cx, req| Box::pin(phone_numbers::update(cx, req)))
        .with::<DeletePhoneNumber>(|cx, req| Box::pin(phone_numbers::delete(cx, req)))
        .with::<PreparePhoneNumberVerification>(|cx, req| Box::pin(phone_numbers::prepare(cx, req)))
        .with::<AttemptPhoneNumberVerification>(|cx, req| Box::pin(phone_numbers::attempt(cx, req)))
        .with::<ReplaceUserPhoneNumber>(|cx, req| Box::pin(phone_numbers::replace(cx, req)))
        .with::<DeleteUserWeb3Wallet>(|cx, req| Box::pin(web3_wallets::delete(cx, req)))
        .with::<ListUserTrustedDevices>(|cx, req| Box::pin(trusted_devices::list(cx, req)))
        .with::<RevokeUserTrustedDevice>(|cx, req| Box::pin(trusted_devices::revoke(cx, req)))
        .with::<ListOauthAccessTokens>(|cx, req| Box::pin(oauth::access_tokens(cx, req)))
        .with::<DeleteExternalAccount>(|cx, req| Box::pin(oauth::delete_account(cx, req)))
        .with::<ListSessions>(|cx, req| Box::pin(sessions::list(cx, req)))
        .with::<CreateServerSession>(|cx, req| Box::pin(sessions::create(cx, req)))
        .with::<GetServerSession>(|cx, req| Box::pin(sessions::get(cx, req)))
        .with::<RevokeServerSession>(|cx, req| Box::pin(sessions::revoke(cx, req)))
        .with::<VerifyServerSession>(|cx, req| Box::pin(sessions::verify(cx, req)))
        .with::<CreateServerSessionToken>(|cx, req| Box::pin(sessions::token(cx, req)))
        .with::<CreateServerTemplateToken>(|cx, req| Box::pin(sessions::template_token(cx, req)))
        .with::<RefreshSession>(|cx, req| Box::pin(sessions::refresh(cx, req)))
        .with::<ListJwtTemplates>(|cx, req| Box::pin(jwt_templates::list(cx, req)))
        .with::<CreateJwtTemplate>(|cx, req| Box::pin(jwt_templates::create(cx, req)))
        .with::<GetJwtTemplate>(|cx, req| Box::pin(jwt_templates::get(cx, req)))
        .with::<UpdateJwtTemplate>(|cx, req| Box::pin(jwt_templates::update(cx, req)))
        .with::<DeleteJwtTemplate>(|cx, req| Box::pin(jwt_templates::delete(cx, req)))
        .with::<GetInstance>(|cx, req| Box::pin(instance::get(cx, req)))
        .with::<UpdateInstance>(|cx, req| Box::pin(instance::update(cx, req)))
        .with::<GetInstanceCommunication>(|cx, req| Box::pin(instance::communication(cx, req)))
        .with::<UpdateInstanceCommunication>(|cx, req| Box::pin(instance::update_communication(cx, req)))
        .with::<UpdateInstanceSettings>(|cx, req| Box::pin(instance::update_beta(cx, req)))
        .with::<GetOrganizationSettings>(|cx, req| Box::pin(instance_features::organizations(cx, req)))
        .with::<UpdateOrganizationSettings>(|cx, req| Box::pin(instance_features::update_organizations(cx, req)))
        .with::<GetOAuthApplicationSettings>(|cx, req| Box::pin(instance_features::oauth_applications(cx, req)))
        .with::<UpdateOAuthApplicationSettings>(|cx, req| Box::pin(instance_features::update_oauth_applications(cx, req)))
        .with::<GetInstanceProtect>(|cx, req| Box::pin(instance_features::protect(cx, req)))
        .with::<UpdateInstanceProtect>(|cx, req| Box::pin(instance_features::update_protect(cx, req)))
        .with::<ListDomains>(|cx, req| Box::pin(domains::list(cx, req)))
        .with::<AddDomain>(|cx, req| Box::pin(domains::add(cx, req)))
        .with::<UpdateDomain>(|cx, req| Box::pin(domains::update(cx, req)))
        .with::<DeleteDomain>(|cx, req| Box::pin(domains::delete(cx, req)))
        .with::<ChangeDomain>(|cx, req| Box::pin(domains::change(cx, req)))
        .with::<ChangeDomainOfSdks>(|cx, req| Box::pin(domains::change_by_sdk(cx, req)))
        .with::<ChangeDomainBefore>(|cx, req| Box::pin(domains::change_before(cx, req)))
        .with::<CheckProxy>(|cx, req| Box::pin(domains::check_proxy(cx, req)))
        .with::<ListTemplates>(|cx, req| Box::pin(templates::list(cx, req)))
        .with::<GetTemplate>(|cx, req| Box::pin(templates::get(cx, req)))
        .with::<PutTemplate>(|cx, req| Box::pin(templates::put(cx, req)))
        .with::<RevertTemplate>(|cx, req| Box::pin(templates::revert(cx, req)))
        .with::<PreviewTemplate>(|cx, req| Box::pin(templates::preview(cx, req)))
        .with::<ToggleTemplateDelivery>(|cx, req| Box::pin(templates::toggle_delivery(cx, req)))
        .with::<ListClients>(|cx, req| Box::pin(clients::list(cx, req)))
        .with::<GetHandshakePayload>(|cx, req| Box::pin(clients::handshake_payload(cx, req)))
        .with::<GetServerClient>(|cx, req| Box::pin(clients::get(cx, req)))
        .with::<VerifyClient>(|cx, req| Box::pin(clients::verify(cx, req)))
        .with::<GetBackendJwks>(|cx, req| Box::pin(misc::jwks(cx, req)))
        .with::<CreateTestingToken>(|cx, req| Box::pin(misc::create_testing_token(cx, req)))
        .with::<CreateSignInToken>(|cx, req| Box::pin(tickets::create_sign_in_token(cx, req)))
        .with::<RevokeSignInToken>(|cx, req| Box::pin(tickets::revoke_sign_in_token(cx, req)))
        .with::<CreateAgentTask>(|cx, req| Box::pin(tickets::create_agent_task(cx, req)))
        .with::<RevokeAgentTask>(|cx, req| Box::pin(tickets::revoke_agent_task(cx, req)))
        .with::<CreateActorToken>(|cx, req| Box::pin(tickets::create_actor_token(cx, req)))
        .with::<RevokeActorToken>(|cx, req| Box::pin(tickets::revoke_actor_token(cx, req)))
        .with::<CreateInvitation>(|cx, req| Box::pin(invitations::create(cx, req)))
        .with::<CreateBulkInvitations>(|cx, req| Box::pin(invitations::create_many(cx, req)))
        .with::<ListInvitations>(|cx, req| Box::pin(invitations::list(cx, req)))
        .with::<RevokeInvitation>(|cx, req| Box::pin(invitations::revoke(cx, req)))
        .with::<ListWaitlistEntries>(|cx, req| Box::pin(waitlist_entries::list(cx, req)))
        .with::<CreateWaitlistEntry>(|cx, req| Box::pin(waitlist_entries::create(cx, req)))
        .with::<CreateBulkWaitlistEntries>(|cx, req| Box::pin(waitlist_entries::create_many(cx, req)))
        .with::<DeleteWaitlistEntry>(|cx, req| Box::pin(waitlist_entries::delete(cx, req)))
        .with::<InviteWaitlistEntry>(|cx, req| Box::pin(waitlist_entries::invite(cx, req)))
        .with::<RejectWaitlistEntry>(|cx, req| Box::pin(waitlist_entries::reject(cx, req)))
        .with::<ListAllowlistIdentifiers>(|cx, req| Box::pin(access::list_allowed(cx, req)))
        .with::<CreateAllowlistIdentifier>(|cx, req| Box::pin(access::allow(cx, req)))
        .with::<DeleteAllowlistIdentifier>(|cx, req| Box::pin(access::delete_allowed(cx, req)))
        .with::<ListBlocklistIdentifiers>(|cx, req| Box::pin(access::list_blocked(cx, req)))
        .with::<CreateBlocklistIdentifier>(|cx, req| Box::pin(access::block(cx, req)))
        .with::<DeleteBlocklistIdentifier>(|cx, req| Box::pin(access::delete_blocked(cx, req)))
        .with::<UpdateInstanceRestrictions>(|cx, req| Box::pin(access::restrict(cx, req)))
        .with::<ListRedirectUrls>(|cx, req| Box::pin(redirect_urls::list(cx, req)))
        .with::<CreateRedirectUrl>(|cx, req| Box::pin(redirect_urls::create(cx, req)))
        .with::<GetRedirectUrl>(|cx, req| Box::pin(redirect_urls::get(cx, req)))
        .with::<DeleteRedirectUrl>(|cx, req| Box::pin(redirect_urls::delete(cx, req)))
        .with::<GetServerSignUp>(|cx, req| Box::pin(sign_ups::get(cx, req)))
        .with::<UpdateServerSignUp>(|cx, req| Box::pin(sign_ups::update(cx, req)))
        .with::<CreateSvixApp>(|cx, req| Box::pin(webhooks::create_app(cx, req)))
        .with::<DeleteSvixApp>(|cx, req| Box::pin(webhooks::delete_app(cx, req)))
        .with::<GenerateSvixAuthUrl>(|cx, req| Box::pin(webhooks::auth_url(cx, req)))
        .with::<GetInterstitial>(|cx, req| Box::pin(interstitial::get(cx, req)))
        .with::<GetPrivateInterstitial>(|cx, req| Box::pin(interstitial::get_private(cx, req)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn every_declared_endpoint_is_mounted_once() {
        let declared = [
            include_str!("../../wire/src/bapi/domains.rs"),
            include_str!("../../wire/src/bapi/instance_features.rs"),
            include_str!("../../wire/src/bapi/users.rs"),
            include_str!("../../wire/src/bapi/user_factors.rs"),
            include_str!("../../wire/src/bapi/email_addresses.rs"),
            include_str!("../../wire/src/bapi/instance.rs"),
            include_str!("../../wire/src/bapi/jwt_templates.rs"),
            include_str!("../../wire/src/bapi/oauth.rs"),
            include_str!("../../wire/src/bapi/passkeys.rs"),
            include_str!("../../wire/src/bapi/phone_numbers.rs"),
            include_str!("../../wire/src/bapi/profile_image.rs"),
            include_str!("../../wire/src/bapi/sessions.rs"),
            include_str!("../../wire/src/bapi/templates.rs"),
            include_str!("../../wire/src/bapi/tickets.rs"),
            include_str!("../../wire/src/bapi/trusted_devices.rs"),
            include_str!("../../wire/src/bapi/web3_wallets.rs"),
            include_str!("../../wire/src/bapi/access.rs"),
            include_str!("../../wire/src/bapi/invitations.rs"),
            include_str!("../../wire/src/bapi/redirect_urls.rs"),
            include_str!("../../wire/src/bapi/sign_ups.rs"),
            include_str!("../../wire/src/bapi/waitlist_entries.rs"),
            include_str!("../../wire/src/bapi/webhooks.rs"),
        ];
        let declared: usize = declared.iter().map(|text| text.matches("; Backend ").count()).sum();
        let routes = super::routes();
        let places: HashSet<_> = routes.table().map(|meta| (meta.method, meta.path)).collect();
        assert_eq!((routes.table().count(), places.len()), (declared, declared));
    }
}
