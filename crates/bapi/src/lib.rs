//! The Backend API: one short function per endpoint, for servers that hold a secret key.

mod clients;
mod interstitial;
mod misc;
mod sessions;
mod users;

use doorward_gateway::Routes;
use doorward_wire::Api;
use doorward_wire::bapi::*;

/// All endpoints of the Backend API.
pub fn routes() -> Routes {
    Routes::new(Api::Backend)
        .add::<ListUsers>(|cx, req| Box::pin(users::list(cx, req)))
        .add::<CountUsers>(|cx, req| Box::pin(users::count(cx, req)))
        .add::<CreateUser>(|cx, req| Box::pin(users::create(cx, req)))
        .add::<BanUsers>(|cx, req| Box::pin(users::ban_many(cx, req)))
        .add::<UnbanUsers>(|cx, req| Box::pin(users::unban_many(cx, req)))
        .add::<GetUser>(|cx, req| Box::pin(users::get(cx, req)))
        .add::<UpdateUser>(|cx, req| Box::pin(users::update(cx, req)))
        .add::<DeleteUser>(|cx, req| Box::pin(users::delete(cx, req)))
        .add::<UpdateUserMetadata>(|cx, req| Box::pin(users::merge_metadata(cx, req)))
        .add::<ReplaceUserMetadata>(|cx, req| Box::pin(users::replace_metadata(cx, req)))
        .add::<VerifyPassword>(|cx, req| Box::pin(users::verify_password(cx, req)))
        .add::<BanUser>(|cx, req| Box::pin(users::ban(cx, req)))
        .add::<UnbanUser>(|cx, req| Box::pin(users::unban(cx, req)))
        .add::<LockUser>(|cx, req| Box::pin(users::lock(cx, req)))
        .add::<UnlockUser>(|cx, req| Box::pin(users::unlock(cx, req)))
        .add::<ListSessions>(|cx, req| Box::pin(sessions::list(cx, req)))
        .add::<CreateServerSession>(|cx, req| Box::pin(sessions::create(cx, req)))
        .add::<GetServerSession>(|cx, req| Box::pin(sessions::get(cx, req)))
        .add::<RevokeServerSession>(|cx, req| Box::pin(sessions::revoke(cx, req)))
        .add::<CreateServerSessionToken>(|cx, req| Box::pin(sessions::token(cx, req)))
        .add::<CreateServerTemplateToken>(|cx, req| Box::pin(sessions::template_token(cx, req)))
        .add::<RefreshSession>(|cx, req| Box::pin(sessions::refresh(cx, req)))
        .add::<ListClients>(|cx, req| Box::pin(clients::list(cx, req)))
        .add::<GetHandshakePayload>(|cx, req| Box::pin(clients::handshake_payload(cx, req)))
        .add::<GetServerClient>(|cx, req| Box::pin(clients::get(cx, req)))
        .add::<VerifyClient>(|cx, req| Box::pin(clients::verify(cx, req)))
        .add::<GetBackendJwks>(|cx, req| Box::pin(misc::jwks(cx, req)))
        .add::<CreateTestingToken>(|cx, req| Box::pin(misc::create_testing_token(cx, req)))
        .add::<GetInterstitial>(|cx, req| Box::pin(interstitial::get(cx, req)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn every_declared_endpoint_is_mounted_once() {
        let declared = [include_str!("../../wire/src/bapi/users.rs"), include_str!("../../wire/src/bapi/sessions.rs")];
        let declared: usize = declared.iter().map(|text| text.matches("; Backend ").count()).sum();
        let routes = super::routes();
        let places: HashSet<_> = routes.table().map(|meta| (meta.method, meta.path)).collect();
        assert_eq!((routes.table().count(), places.len()), (declared, declared));
    }
}
