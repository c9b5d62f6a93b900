//! The Frontend API: one short function per endpoint.

mod client;
mod misc;
mod sessions;
mod sign_ins;
mod sign_ups;

use doorward_gateway::Routes;
use doorward_wire::Api;
use doorward_wire::fapi::*;

/// All endpoints of the Frontend API.
pub fn routes() -> Routes {
    Routes::new(Api::Frontend)
        .add::<GetEnvironment>(|cx, req| Box::pin(misc::get_environment(cx, req)))
        .add::<UpdateEnvironment>(|cx, req| Box::pin(misc::update_environment(cx, req)))
        .add::<GetFrontendJwks>(|cx, req| Box::pin(misc::jwks(cx, req)))
        .add::<GetHealth>(|cx, req| Box::pin(misc::health(cx, req)))
        .add::<GetProxyHealth>(|cx, req| Box::pin(misc::proxy_health(cx, req)))
        .add::<CreateDevBrowser>(|cx, req| Box::pin(misc::create_dev_browser(cx, req)))
        .add::<SetFirstPartyCookie>(|cx, req| Box::pin(misc::set_first_party_cookie(cx, req)))
        .add::<GetClient>(|cx, req| Box::pin(client::get(cx, req)))
        .add::<PutClient>(|cx, req| Box::pin(client::put(cx, req)))
        .add::<PostClient>(|cx, req| Box::pin(client::post(cx, req)))
        .add::<DeleteClient>(|cx, req| Box::pin(client::delete(cx, req)))
        .add::<DeleteClientSessions>(|cx, req| Box::pin(client::delete_sessions(cx, req)))
        .add::<Handshake>(|cx, req| Box::pin(client::handshake(cx, req)))
        .add::<TouchClient>(|cx, req| Box::pin(client::touch(cx, req)))
        .add::<GetSession>(|cx, req| Box::pin(sessions::get(cx, req)))
        .add::<TouchSession>(|cx, req| Box::pin(sessions::touch(cx, req)))
        .add::<CreateSessionToken>(|cx, req| Box::pin(sessions::token(cx, req)))
        .add::<CreateTemplateToken>(|cx, req| Box::pin(sessions::template_token(cx, req)))
        .add::<EndSession>(|cx, req| Box::pin(sessions::end(cx, req)))
        .add::<RemoveSession>(|cx, req| Box::pin(sessions::remove(cx, req)))
        .add::<CreateSignIn>(|cx, req| Box::pin(sign_ins::create(cx, req)))
        .add::<GetSignIn>(|cx, req| Box::pin(sign_ins::get(cx, req)))
        .add::<PrepareFirstFactor>(|cx, req| Box::pin(sign_ins::prepare_first(cx, req)))
        .add::<AttemptFirstFactor>(|cx, req| Box::pin(sign_ins::attempt_first(cx, req)))
        .add::<PrepareSecondFactor>(|cx, req| Box::pin(sign_ins::prepare_second(cx, req)))
        .add::<AttemptSecondFactor>(|cx, req| Box::pin(sign_ins::attempt_second(cx, req)))
        .add::<ResetPassword>(|cx, req| Box::pin(sign_ins::reset_password(cx, req)))
        .add::<CreateSignUp>(|cx, req| Box::pin(sign_ups::create(cx, req)))
        .add::<UpdateSignUp>(|cx, req| Box::pin(sign_ups::update(cx, req)))
        .add::<UpdateCurrentSignUp>(|cx, req| Box::pin(sign_ups::update_current(cx, req)))
        .add::<GetSignUp>(|cx, req| Box::pin(sign_ups::get(cx, req)))
        .add::<PrepareVerification>(|cx, req| Box::pin(sign_ups::prepare(cx, req)))
        .add::<AttemptVerification>(|cx, req| Box::pin(sign_ups::attempt(cx, req)))
        .add::<GetMe>(|cx, req| Box::pin(sessions::me(cx, req)))
        .add::<GetMySessions>(|cx, req| Box::pin(sessions::mine(cx, req)))
        .add::<GetMyActiveSessions>(|cx, req| Box::pin(sessions::mine_active(cx, req)))
        .add::<RevokeMySession>(|cx, req| Box::pin(sessions::revoke_mine(cx, req)))
}
