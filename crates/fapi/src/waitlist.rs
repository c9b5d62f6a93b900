use doorward_base::ApiError;
use doorward_core::waitlist;
use doorward_gateway::Cx;
use doorward_wire::fapi::*;

pub(crate) async fn join(cx: &mut Cx, req: JoinWaitlist) -> Result<JoinedWaitlist, ApiError> {
    let id = waitlist::join(&cx.scope, req.email_address.as_deref()).await?;
    Ok(JoinedWaitlist { object: "waitlist_entry".to_owned(), id })
}
