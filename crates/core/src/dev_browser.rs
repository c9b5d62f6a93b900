//! Development browsers: a token that stands for a client where the client's own cookie cannot be sent.

use crate::app::{Scope, internal};
use crate::client;
use crate::crypto;
use doorward_base::*;
use doorward_store::clients::{self, ClientRecord};
use doorward_store::dev_browsers::{self, DevBrowserRecord};
use doorward_wire::fapi::DevBrowser;

/// A development browser that was just made.
pub struct Made {
    /// The answer that shows its token.
    pub answer: DevBrowser,
}

/// Makes a development browser, for a client when there is one.
///
/// # Errors
/// `request_invalid_for_environment` on a production instance.
pub async fn create(scope: &Scope, for_client: Option<&ClientRecord>) -> Result<Made, ApiError> {
    if !scope.instance.is_development() {
        return Err(codes::REQUEST_INVALID_FOR_ENVIRONMENT.into());
    }
    let id = DevBrowserId::new(scope.now, &scope.app.rng);
    let token = format!("dvb_{}", scope.app.rng.alphanumeric(48));
    let bound = for_client.map(|client| client.id.clone());
    dev_browsers::insert(scope.db(), scope.ins(), &id, &crypto::token_hash(&token), &bound, scope.now).await.map_err(internal)?;
    Ok(Made {
        answer: DevBrowser {
            id: token.clone(),
            object: "dev_browser".to_owned(),
            token,
            instance_id: scope.ins().clone(),
            created_at: scope.now,
            updated_at: scope.now,
        },
    })
}

/// The development browser of a token.
///
/// # Errors
/// Only failures of ours.
pub async fn find(scope: &Scope, token: &str) -> Result<Option<DevBrowserRecord>, ApiError> {
    if !scope.instance.is_development() {
        return Ok(None);
    }
    dev_browsers::by_token(scope.db(), scope.ins(), &crypto::token_hash(token)).await.map_err(internal)
}

/// The client that a development browser stands for.
///
/// # Errors
/// Only failures of ours.
pub async fn client_of(scope: &Scope, it: &DevBrowserRecord) -> Result<Option<ClientRecord>, ApiError> {
    match &it.client_id {
        Some(id) => clients::get(scope.db(), scope.ins(), id).await.map_err(internal),
        None => Ok(None),
    }
}

/// Lets a development browser stand for the client that was made through it.
///
/// # Errors
/// Only failures of ours.
pub async fn bind(scope: &Scope, it: &DevBrowserRecord, current: &client::Current) -> Result<(), ApiError> {
    match &current.record {
        Some(record) if it.client_id.as_ref() != Some(&record.id) => {
            dev_browsers::bind(scope.db(), scope.ins(), &it.id, &record.id).await.map_err(internal)
        }
        _ => Ok(()),
    }
}
