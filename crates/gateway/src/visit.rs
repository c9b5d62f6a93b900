use crate::auth;
use crate::gateway::{Gateway, peer};
use crate::limits::Call;
use doorward_base::ApiError;
use doorward_core::Scope;
use doorward_wire::Rate;
use http::request::Parts;

/// A request for a page that the server itself shows to an app's users.
pub struct Visit {
    /// The instance that it belongs to.
    pub scope: Scope,
    /// The address of the Frontend API as the browser sees it.
    pub frontend_url: String,
}

impl Gateway {
    /// Finds the instance of a request for a page, by the same rules as for a call, and counts it as one.
    ///
    /// # Errors
    /// When there is no such instance, a proxy does not prove itself, or there were too many calls.
    pub async fn visit(&self, parts: &Parts) -> Result<Visit, ApiError> {
        let arrival = auth::frontend(&self.0, parts, peer(parts), false).await?;
        let instance = arrival.instance;
        if self.0.config.limits_enabled {
            let call = Call { rate: Rate::Frontend, operation: "page", object: None, ip: arrival.caller.ip };
            self.0.limits.check(call, &instance)?;
        }
        let scope = Scope { app: self.0.app.clone(), instance, now: self.0.app.clock.now() };
        Ok(Visit { scope, frontend_url: arrival.caller.frontend_url })
    }
}
