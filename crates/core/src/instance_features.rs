//! Settings of features that come later or are the hosted service's own: kept, checked and shown, as servers expect.

use crate::app::Scope;
use crate::instance::change_settings;
use crate::settings::{EnrollmentMode, Settings};
use crate::sign_in::filled;
use doorward_base::*;
use doorward_wire::bapi::{
    InstanceProtect, OAuthApplicationSettings, OrganizationSettings, UpdateInstanceProtect, UpdateOAuthApplicationSettings,
    UpdateOrganizationSettings,
};

/// The roles that a new instance of the hosted service has.
const ADMIN: &str = "org:admin";
const MEMBER: &str = "org:member";

/// Settings of organizations.
pub fn organizations(settings: &Settings) -> OrganizationSettings {
    let it = &settings.organizations;
    OrganizationSettings {
        object: "organization_settings".to_owned(),
        enabled: it.enabled,
        max_allowed_memberships: it.max_allowed_memberships,
        max_allowed_roles: 10,
        max_role_sets_allowed: 1,
        max_allowed_domains: 10,
        max_allowed_permissions: 50,
        creator_role: ADMIN.to_owned(),
        admin_delete_enabled: it.admin_delete,
        domains_enabled: it.domains,
        slug_disabled: it.slug_disabled,
        domains_enrollment_modes: it.domains_enrollment_modes.iter().map(|mode| mode.as_str().to_owned()).collect(),
        domains_default_role: MEMBER.to_owned(),
        initial_role_set_key: None,
    }
}

/// Changes settings of organizations.
///
/// # Errors
/// `form_param_value_invalid`, `form_param_duplicate`, `resource_not_found` for a role, `conflict`.
pub async fn update_organizations(scope: &Scope, req: &UpdateOrganizationSettings) -> Result<OrganizationSettings, ApiError> {
    if req.max_allowed_memberships.is_some_and(|n| n < 0) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("max_allowed_memberships"));
    }
    if let Some(role) = [&req.creator_role_id, &req.domains_default_role_id].into_iter().find_map(|id| filled(id.as_deref())) {
        return Err(ApiError::not_found("Role", role));
    }
    let modes = req.domains_enrollment_modes.as_deref().map(read_modes).transpose()?;
    change_settings(scope, |settings| {
        let it = &mut settings.organizations;
        it.enabled = req.enabled.unwrap_or(it.enabled);
        it.max_allowed_memberships = req.max_allowed_memberships.unwrap_or(it.max_allowed_memberships);
        it.admin_delete = req.admin_delete_enabled.unwrap_or(it.admin_delete);
        it.domains = req.domains_enabled.unwrap_or(it.domains);
        it.slug_disabled = req.slug_disabled.unwrap_or(it.slug_disabled);
        if let Some(modes) = &modes {
            it.domains_enrollment_modes.clone_from(modes);
        }
        Ok(organizations(settings))
    })
    .await
}

fn read_modes(texts: &[String]) -> Result<Vec<EnrollmentMode>, ApiError> {
    let error = |code| ApiError::new(code).param("domains_enrollment_modes");
    let mut out = Vec::new();
    for text in texts {
        let mode = EnrollmentMode::parse(text).ok_or_else(|| error(codes::FORM_PARAM_VALUE_INVALID))?;
        if out.contains(&mode) {
            return Err(error(codes::FORM_PARAM_DUPLICATE));
        }
        out.push(mode);
    }
    Ok(out)
}

/// Settings of OAuth applications.
pub fn oauth_applications(settings: &Settings) -> OAuthApplicationSettings {
    let it = &settings.oauth_applications;
    OAuthApplicationSettings {
        object: "oauth_application_settings".to_owned(),
        dynamic_oauth_client_registration: it.dynamic_client_registration,
        default_scopes: it.default_scopes.clone(),
        oauth_jwt_access_tokens: it.jwt_access_tokens,
        client_id_metadata_documents_advertised: it.client_id_metadata_documents.advertised,
        client_id_metadata_documents_only_allow_pre_registered_clients: it.client_id_metadata_documents.pre_registered_only,
        client_id_metadata_documents_block_implicitly_allowed_clients: it.client_id_metadata_documents.block_implicitly_allowed,
    }
}

/// Changes settings of OAuth applications.
///
/// # Errors
/// `form_param_value_invalid` when the settings are not valid, `conflict`.
pub async fn update_oauth_applications(scope: &Scope, req: &UpdateOAuthApplicationSettings) -> Result<OAuthApplicationSettings, ApiError> {
    change_settings(scope, |settings| {
        let it = &mut settings.oauth_applications;
        it.dynamic_client_registration = req.dynamic_oauth_client_registration.unwrap_or(it.dynamic_client_registration);
        it.jwt_access_tokens = req.oauth_jwt_access_tokens.unwrap_or(it.jwt_access_tokens);
        if let Some(scopes) = &req.default_scopes {
            it.default_scopes.clone_from(scopes);
            it.check().map_err(|why| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("default_scopes").long(why))?;
        }
        let documents = &mut it.client_id_metadata_documents;
        documents.advertised = req.client_id_metadata_documents_advertised.unwrap_or(documents.advertised);
        documents.pre_registered_only =
            req.client_id_metadata_documents_only_allow_pre_registered_clients.unwrap_or(documents.pre_registered_only);
        documents.block_implicitly_allowed =
            req.client_id_metadata_documents_block_implicitly_allowed_clients.unwrap_or(documents.block_implicitly_allowed);
        Ok(oauth_applications(settings))
    })
    .await
}

/// Settings of the hosted service's protection.
pub fn protect(settings: &Settings) -> InstanceProtect {
    let it = &settings.protect;
    InstanceProtect { object: "instance_protect".to_owned(), rules_enabled: it.rules, specter_enabled: it.specter, checks_bypassed: false }
}

/// Changes settings of that protection.
///
/// # Errors
/// `conflict`.
pub async fn update_protect(scope: &Scope, req: &UpdateInstanceProtect) -> Result<InstanceProtect, ApiError> {
    change_settings(scope, |settings| {
        let it = &mut settings.protect;
        it.rules = req.rules_enabled.unwrap_or(it.rules);
        it.specter = req.specter_enabled.unwrap_or(it.specter);
        Ok(protect(settings))
    })
    .await
}
