use doorward_base::*;
use doorward_core::access;
use doorward_core::users::{Page, page};
use doorward_core::{Scope, instance};
use doorward_gateway::Cx;
use doorward_store::access_identifiers::{AccessRecord, List as Which};
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;

fn view(scope: &Scope, which: Which, it: &AccessRecord) -> AccessIdentifier {
    AccessIdentifier {
        object: object(which).to_owned(),
        id: it.id.clone(),
        invitation_id: it.invitation_id.clone(),
        identifier: it.identifier.clone(),
        identifier_type: it.kind.clone(),
        instance_id: scope.ins().clone(),
        created_at: it.created_at,
        updated_at: it.updated_at,
    }
}

fn object(which: Which) -> &'static str {
    match which {
        Which::Allow => "allowlist_identifier",
        Which::Block => "blocklist_identifier",
    }
}

/// A page, where one was asked for.
pub(crate) fn optional_page(paginated: Option<bool>, limit: Option<i64>, offset: Option<i64>) -> Result<Option<Page>, ApiError> {
    let asked = paginated == Some(true) || limit.is_some() || offset.is_some();
    asked.then(|| page(limit, offset)).transpose()
}

/// All of a list that is short at any rate.
pub(crate) const WHOLE: Page = Page { limit: i64::MAX, offset: 0 };

/// A list as it was asked for.
pub(crate) fn shaped<T>(paginated: Option<bool>, data: Vec<T>, total_count: i64) -> List<T> {
    if paginated == Some(true) { List::Page { data, total_count } } else { List::Bare(data) }
}

pub(crate) async fn list_allowed(cx: &mut Cx, req: ListAllowlistIdentifiers) -> Result<List<AccessIdentifier>, ApiError> {
    let page = optional_page(req.paginated, req.limit, req.offset)?;
    let (found, total) = access::list(&cx.scope, Which::Allow, page).await?;
    Ok(shaped(req.paginated, found.iter().map(|it| view(&cx.scope, Which::Allow, it)).collect(), total))
}

pub(crate) async fn allow(cx: &mut Cx, req: CreateAllowlistIdentifier) -> Result<AccessIdentifier, ApiError> {
    let made = access::add(&cx.scope, Which::Allow, req.identifier.as_deref(), req.notify == Some(true)).await?;
    Ok(view(&cx.scope, Which::Allow, &made))
}

pub(crate) async fn delete_allowed(cx: &mut Cx, req: DeleteAllowlistIdentifier) -> Result<DeletedObject, ApiError> {
    access::remove(&cx.scope, Which::Allow, &req.identifier_id).await?;
    Ok(DeletedObject::new(object(Which::Allow), req.identifier_id))
}

pub(crate) async fn list_blocked(cx: &mut Cx, req: ListBlocklistIdentifiers) -> Result<BlocklistIdentifiers, ApiError> {
    let page = optional_page(None, req.limit, req.offset)?;
    let (found, total_count) = access::list(&cx.scope, Which::Block, page).await?;
    Ok(BlocklistIdentifiers { data: found.iter().map(|it| view(&cx.scope, Which::Block, it)).collect(), total_count })
}

pub(crate) async fn block(cx: &mut Cx, req: CreateBlocklistIdentifier) -> Result<AccessIdentifier, ApiError> {
    let made = access::add(&cx.scope, Which::Block, req.identifier.as_deref(), false).await?;
    Ok(view(&cx.scope, Which::Block, &made))
}

pub(crate) async fn delete_blocked(cx: &mut Cx, req: DeleteBlocklistIdentifier) -> Result<DeletedObject, ApiError> {
    access::remove(&cx.scope, Which::Block, &req.identifier_id).await?;
    Ok(DeletedObject::new(object(Which::Block), req.identifier_id))
}

pub(crate) async fn restrict(cx: &mut Cx, req: UpdateInstanceRestrictions) -> Result<InstanceRestrictions, ApiError> {
    if req.ignore_dots_for_gmail_addresses == Some(true) {
        let error = ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("ignore_dots_for_gmail_addresses");
        return Err(error.long("Addresses are told apart by their dots here: ignore_dots_for_gmail_addresses can be false only."));
    }
    let rules = instance::change_settings(&cx.scope, |settings| {
        let rules = &mut settings.restrictions;
        for (asked, rule) in [
            (req.allowlist, &mut rules.allowlist),
            (req.blocklist, &mut rules.blocklist),
            (req.allowlist_blocklist_disabled_on_sign_in, &mut rules.allowlist_blocklist_disabled_on_sign_in),
            (req.block_email_subaddresses, &mut rules.block_email_subaddresses),
            (req.block_disposable_email_domains, &mut rules.block_disposable_email_domains),
        ] {
            *rule = asked.unwrap_or(*rule);
        }
        Ok(*rules)
    })
    .await?;
    Ok(InstanceRestrictions {
        object: "instance_restrictions".to_owned(),
        allowlist: rules.allowlist,
        blocklist: rules.blocklist,
        allowlist_blocklist_disabled_on_sign_in: rules.allowlist_blocklist_disabled_on_sign_in,
        block_email_subaddresses: rules.block_email_subaddresses,
        block_disposable_email_domains: rules.block_disposable_email_domains,
    })
}
