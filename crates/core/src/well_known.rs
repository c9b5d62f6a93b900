//! What a site says about itself to the systems that people's apps run on.

use crate::settings::Settings;
use doorward_base::*;
use doorward_wire::fapi::{AssetLink, AssetLinkTarget, RelatedOrigins};

/// What Android may do for the instance's apps: open its links in them, and share passkeys and passwords with them.
pub fn asset_links(settings: &Settings) -> Vec<AssetLink> {
    let relation = ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"];
    let link = |app: &crate::settings::AndroidApp| AssetLink {
        relation: relation.iter().map(|it| (*it).to_owned()).collect(),
        target: AssetLinkTarget {
            namespace: "android_app".to_owned(),
            package_name: app.package_name.clone(),
            sha256_cert_fingerprints: app.sha256_cert_fingerprints.clone(),
        },
    };
    settings.native.android_apps.iter().map(link).collect()
}

/// The sites on which the same passkeys work: the allowed origins that are one site each.
///
/// # Errors
/// `resource_not_found` where the instance has no passkeys, or no such origin.
pub fn related_origins(settings: &Settings) -> Result<RelatedOrigins, ApiError> {
    let one_site = |origin: &&String| origin.starts_with("https://") && !origin.contains('*');
    let origins: Vec<String> = settings.allowed_origins.iter().filter(one_site).cloned().collect();
    if !settings.attributes.passkey || origins.is_empty() {
        return Err(codes::RESOURCE_NOT_FOUND.into());
    }
    Ok(RelatedOrigins { origins })
}
