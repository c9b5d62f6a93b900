use crate::access::shaped;
use doorward_base::*;
use doorward_core::invitations;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;

/// The most people that one request may invite.
const MAX_BULK: usize = 10;

pub(crate) async fn create(cx: &mut Cx, req: CreateInvitation) -> Result<Invitation, ApiError> {
    let fields = InvitationFields {
        email_address: req.email_address,
        public_metadata: req.public_metadata,
        redirect_url: req.redirect_url,
        notify: req.notify,
        ignore_existing: req.ignore_existing,
        expires_in_days: req.expires_in_days,
        template_slug: req.template_slug,
    };
    invitations::create(&cx.scope, &fields).await
}

pub(crate) async fn create_many(cx: &mut Cx, req: CreateBulkInvitations) -> Result<Vec<Invitation>, ApiError> {
    check_bulk(req.invitations.len(), MAX_BULK, "invitations")?;
    invitations::create_many(&cx.scope, &req.invitations).await
}

/// Refuses lists that are empty or too long.
pub(crate) fn check_bulk(length: usize, most: usize, name: &str) -> Result<(), ApiError> {
    match length {
        0 => Err(ApiError::new(codes::FORM_PARAM_MISSING).param(name)),
        length if length > most => Err(ApiError::new(codes::BULK_SIZE_EXCEEDED).param(name)),
        _ => Ok(()),
    }
}

pub(crate) async fn list(cx: &mut Cx, req: ListInvitations) -> Result<List<Invitation>, ApiError> {
    let (data, total) = invitations::list(&cx.scope, &req).await?;
    Ok(shaped(req.paginated, data, total))
}

pub(crate) async fn revoke(cx: &mut Cx, req: RevokeInvitation) -> Result<Invitation, ApiError> {
    invitations::revoke(&cx.scope, &req.invitation_id).await
}
