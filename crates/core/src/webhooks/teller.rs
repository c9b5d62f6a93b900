//! Turns what a transaction changed into events.

use super::events::{Request, raise, raise_from};
use crate::app::{App, Scope};
use crate::users::{self, Audience};
use crate::{instance, session, tasks, waitlist};
use doorward_base::*;
use doorward_store::changes::{Change, Teller, Telling};
use doorward_store::{StoreError, Tx, sessions, users as user_store, webhooks};
use serde_json::json;
use std::sync::{Arc, Weak};

/// Lets every transaction of the server's database have its events written.
pub fn listen(app: &Arc<App>) {
    app.db.set_teller(Arc::new(Events(Arc::downgrade(app))));
}

struct Events(Weak<App>);

impl Teller for Events {
    fn tell<'a>(&'a self, tx: &'a mut Tx, changes: Vec<(InstanceId, Change)>) -> Telling<'a> {
        Box::pin(async move {
            let Some(app) = self.0.upgrade() else { return Ok(false) };
            tell(&app, tx, changes).await.map_err(|error| match error.retry_after_seconds() {
                Some(_) => StoreError::Busy,
                None => StoreError::Untold(error.cause().map_or_else(|| error.to_string(), str::to_owned)),
            })
        })
    }

    fn told(&self) {
        if let Some(app) = self.0.upgrade() {
            app.outbox.webhooks.notify_one();
        }
    }
}

/// Whether an event was written.
async fn tell(app: &Arc<App>, tx: &mut Tx, changes: Vec<(InstanceId, Change)>) -> Result<bool, ApiError> {
    let mut changes = distinct(changes);
    settle(app, tx, &mut changes).await?;
    let mut known: Option<(InstanceId, Option<Scope>)> = None;
    let mut heard = false;
    for (ins, change) in changes {
        if known.as_ref().is_none_or(|(of, _)| of != &ins) {
            // Most instances have no endpoint; then that is all.
            let listened = !webhooks::subscribers(tx, &ins).await.map_err(crate::internal)?.is_empty();
            known = Some((ins.clone(), if listened { scope_of(app, tx, &ins).await? } else { None }));
        }
        if let Some((_, Some(scope))) = &known {
            tell_one(scope, tx, change).await?;
            heard = true;
        }
    }
    Ok(heard)
}

async fn scope_of(app: &Arc<App>, tx: &mut Tx, ins: &InstanceId) -> Result<Option<Scope>, ApiError> {
    let found = instance::by_id_within(app, tx, ins).await?;
    Ok(found.map(|instance| Scope { app: app.clone(), instance, now: app.clock.now() }))
}

/// Whose tasks are done with one of the changes has active sessions from now on: they begin, for whoever is told. Signing in does none.
async fn settle(app: &Arc<App>, tx: &mut Tx, changes: &mut Vec<(InstanceId, Change)>) -> Result<(), ApiError> {
    let updated = changes.iter().filter_map(|(ins, change)| match change {
        Change::UserUpdated(id) => Some((ins.clone(), id.clone())),
        _ => None,
    });
    for (ins, id) in updated.collect::<Vec<_>>() {
        if !sessions::wait_for_tasks(tx, &ins, &id).await.map_err(crate::internal)? {
            continue;
        }
        let Some(scope) = scope_of(app, tx, &ins).await? else { continue };
        let Some(user) = user_store::get(&mut *tx, &ins, &id).await.map_err(crate::internal)? else { continue };
        if tasks::of_user(&scope, &user).is_empty() {
            let begun = sessions::settle_tasks(tx, &ins, &id, scope.now).await.map_err(crate::internal)?;
            changes.extend(begun.into_iter().map(|session| (ins.clone(), Change::SessionBegan(session))));
        }
    }
    Ok(())
}

/// Each user once: created, whatever changed besides; else deleted; else updated; else signed in. Sessions as they come.
fn distinct(changes: Vec<(InstanceId, Change)>) -> Vec<(InstanceId, Change)> {
    let mut out: Vec<(InstanceId, Change)> = Vec::new();
    let user = |change: &Change| match change {
        Change::UserCreated(id) | Change::UserUpdated(id) | Change::UserSignedIn(id) | Change::UserDeleted(id, _) => Some(id.clone()),
        _ => None,
    };
    for (ins, change) in changes {
        let id = user(&change);
        match out.iter_mut().find(|(of, known)| *of == ins && (*known == change || (id.is_some() && user(known) == id))) {
            Some((_, known)) if matches!(change, Change::UserDeleted(..)) || matches!(known, Change::UserSignedIn(_)) => *known = change,
            Some(_) => {}
            None => out.push((ins, change)),
        }
    }
    out
}

async fn tell_one(scope: &Scope, tx: &mut Tx, change: Change) -> Result<(), ApiError> {
    match change {
        Change::UserCreated(id) => tell_user(scope, tx, "user.created", &id).await,
        Change::UserUpdated(id) | Change::UserSignedIn(id) => tell_user(scope, tx, "user.updated", &id).await,
        Change::UserDeleted(id, external_id) => {
            let mut gone = json!({"object": "user", "id": id, "deleted": true});
            if let Some(external_id) = external_id {
                gone["external_id"] = external_id.into();
            }
            raise(scope, tx, "user.deleted", id.as_str(), &gone).await
        }
        Change::SessionBegan(id) | Change::SessionClosed(id) => tell_session(scope, tx, &id).await,
        Change::WaitlistEntryCreated(id) => tell_waitlist(scope, tx, "waitlistEntry.created", &id).await,
        Change::WaitlistEntryUpdated(id) => tell_waitlist(scope, tx, "waitlistEntry.updated", &id).await,
        Change::EventWritten => Ok(()),
    }
}

async fn tell_user(scope: &Scope, tx: &mut Tx, kind: &str, id: &UserId) -> Result<(), ApiError> {
    let Some(user) = user_store::get(&mut *tx, scope.ins(), id).await.map_err(crate::internal)? else { return Ok(()) };
    raise(scope, tx, kind, id.as_str(), &users::view(scope, &user, Audience::Backend)).await
}

async fn tell_waitlist(scope: &Scope, tx: &mut Tx, kind: &str, id: &WaitlistEntryId) -> Result<(), ApiError> {
    let Some(entry) = waitlist::within(scope, tx, id).await? else { return Ok(()) };
    raise(scope, tx, kind, id.as_str(), &entry).await
}

async fn tell_session(scope: &Scope, tx: &mut Tx, id: &SessionId) -> Result<(), ApiError> {
    let Some(session) = sessions::get(&mut *tx, scope.ins(), id).await.map_err(crate::internal)? else { return Ok(()) };
    let Some(user) = user_store::get(&mut *tx, scope.ins(), &session.user_id).await.map_err(crate::internal)? else { return Ok(()) };
    let view = session::server_view_of(scope, &session, &user);
    let kind = match view.status.as_str() {
        "active" => "session.created",
        "pending" => "session.pending",
        "removed" => "session.removed",
        "revoked" => "session.revoked",
        _ => "session.ended",
    };
    let mut data = serde_json::to_value(&view).map_err(ApiError::internal)?;
    // The schema of the events is older than the tasks, and has no null for what is not known of a device.
    if let Some(fields) = data.as_object_mut() {
        fields.remove("tasks");
    }
    if let Some(activity) = data["latest_activity"].as_object_mut() {
        activity.retain(|_, value| !value.is_null());
    }
    data["user"] = serde_json::to_value(users::view(scope, &user, Audience::Backend)).map_err(ApiError::internal)?;
    // Where the session was last used from is who begins it now; who ends it may be somebody else.
    let begins = matches!(kind, "session.created" | "session.pending");
    let request =
        Request { ip: session.ip_address.as_deref().filter(|_| begins), user_agent: session.user_agent.as_deref().filter(|_| begins) };
    raise_from(scope, tx, kind, id.as_str(), &data, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_tells_of_a_user_once() {
        let of = |change| (InstanceId::from("ins_1"), change);
        let (ada, bob) = (UserId::from("user_ada"), UserId::from("user_bob"));
        let session = || of(Change::SessionBegan("sess_1".into()));
        let created = || of(Change::UserCreated(ada.clone()));
        let updated = || of(Change::UserUpdated(ada.clone()));
        let other = || of(Change::UserUpdated(bob.clone()));
        let gone = || of(Change::UserDeleted(ada.clone(), None));
        assert_eq!(distinct(vec![created(), updated(), session(), updated()]), [created(), session()]);
        assert_eq!(distinct(vec![updated(), other(), updated()]), [updated(), other()]);
        assert_eq!(distinct(vec![updated(), gone()]), [gone()]);
        let signed_in = || of(Change::UserSignedIn(ada.clone()));
        assert_eq!(distinct(vec![signed_in(), session()]), [signed_in(), session()]);
        assert_eq!(distinct(vec![signed_in(), updated(), signed_in()]), [updated()]);
        let elsewhere = (InstanceId::from("ins_2"), updated().1);
        assert_eq!(distinct(vec![updated(), elsewhere.clone()]), [updated(), elsewhere]);
    }
}
