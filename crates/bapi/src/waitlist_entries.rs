use crate::invitations::check_bulk;
use doorward_base::*;
use doorward_core::waitlist;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;

/// The most entries that one request may make.
const MAX_BULK: usize = 50;

pub(crate) async fn list(cx: &mut Cx, req: ListWaitlistEntries) -> Result<WaitlistEntries, ApiError> {
    let (data, total_count) = waitlist::list(&cx.scope, &req).await?;
    Ok(WaitlistEntries { data, total_count })
}

pub(crate) async fn create(cx: &mut Cx, req: CreateWaitlistEntry) -> Result<WaitlistEntry, ApiError> {
    let fields = WaitlistFields { email_address: req.email_address, notify: req.notify };
    waitlist::create(&cx.scope, &[fields]).await?.pop().ok_or_else(|| ApiError::internal("no entry was made"))
}

pub(crate) async fn create_many(cx: &mut Cx, req: CreateBulkWaitlistEntries) -> Result<Vec<WaitlistEntry>, ApiError> {
    check_bulk(req.entries.len(), MAX_BULK, "entries")?;
    waitlist::create(&cx.scope, &req.entries).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteWaitlistEntry) -> Result<DeletedObject, ApiError> {
    waitlist::remove(&cx.scope, &req.waitlist_entry_id).await?;
    Ok(DeletedObject::new("waitlist_entry", req.waitlist_entry_id))
}

pub(crate) async fn invite(cx: &mut Cx, req: InviteWaitlistEntry) -> Result<WaitlistEntry, ApiError> {
    waitlist::invite(&cx.scope, &req.waitlist_entry_id, req.ignore_existing).await
}

pub(crate) async fn reject(cx: &mut Cx, req: RejectWaitlistEntry) -> Result<WaitlistEntry, ApiError> {
    waitlist::reject(&cx.scope, &req.waitlist_entry_id).await
}
