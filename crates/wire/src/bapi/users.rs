use crate::Object;
use crate::endpoint::{present, request};
use crate::resource::{DeletedObject, User, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A count.
    TotalCount {
        /// `total_count`.
        object: String,
        /// The count.
        total_count: i64,
    }

    /// Whether a secret was right.
    Verified {
        /// It was.
        verified: bool,
    }
}

/// Filters of the list of users. Several values of one filter are alternatives; several filters must all hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UserFilter {
    /// Exact addresses, at most 100.
    pub email_address: Vec<String>,
    /// Exact numbers, at most 100.
    pub phone_number: Vec<String>,
    /// Ids of the app's own, at most 100; a leading `-` excludes.
    pub external_id: Vec<String>,
    /// Exact user names, at most 100.
    pub username: Vec<String>,
    /// Exact wallets, at most 100.
    pub web3_wallet: Vec<String>,
    /// Users' ids, at most 100; a leading `-` excludes.
    pub user_id: Vec<String>,
    /// Members of these organizations; a leading `-` excludes.
    pub organization_id: Vec<String>,
    /// Found in an address, number, user name, name, wallet or id.
    pub query: Option<String>,
    /// Found in an address.
    pub email_address_query: Option<String>,
    /// Found in a number.
    pub phone_number_query: Option<String>,
    /// Found in the user name.
    pub username_query: Option<String>,
    /// Found in the first or last name.
    pub name_query: Option<String>,
    /// Banned or not.
    pub banned: Option<bool>,
    /// Seen before this time.
    pub last_active_at_before: Option<i64>,
    /// Seen after this time.
    pub last_active_at_after: Option<i64>,
    /// Seen since this time.
    pub last_active_at_since: Option<i64>,
    /// Created before this time.
    pub created_at_before: Option<i64>,
    /// Created after this time.
    pub created_at_after: Option<i64>,
    /// Signed in before this time.
    pub last_sign_in_at_before: Option<i64>,
    /// Signed in after this time.
    pub last_sign_in_at_after: Option<i64>,
    /// With an account at this provider.
    pub provider: Option<String>,
    /// With these ids at that provider.
    pub provider_user_id: Vec<String>,
}

/// Lists users.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListUsers {
    /// Which.
    #[serde(flatten)]
    pub filter: UserFilter,
    /// How many at most, 1 to 500; 10 by default.
    pub limit: Option<i64>,
    /// How many to skip.
    pub offset: Option<i64>,
    /// The user after whom the page begins, in place of `offset`.
    pub starting_after: Option<String>,
    /// A field with `+` or `-` before it; `-created_at` by default. Of several the first one counts.
    #[schemars(extend("x-first-of-several" = true))]
    pub order_by: Option<String>,
}
crate::endpoint::endpoint!(ListUsers => Vec<User>; Backend GET "/v1/users" "GetUserList";
    "Users", SecretKey, Backend, Bare; "List users.");

/// Counts users.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CountUsers {
    /// Which.
    #[serde(flatten)]
    pub filter: UserFilter,
}
crate::endpoint::endpoint!(CountUsers => TotalCount; Backend GET "/v1/users/count" "GetUsersCount";
    "Users", SecretKey, Backend, Bare; "Count users.");

resource! {
    /// What users have of organizations, which come later: nothing.
    NoneOfOrganizations {
        /// This page.
        data: Vec<crate::Object>,
        /// How many there are in all.
        total_count: i64,
    }
}

request! {
    /// Names a user, and a page.
    ListUserOrganizationMemberships {
        /// The user.
        user_id: UserId,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => NoneOfOrganizations; Backend GET "/v1/users/{user_id}/organization_memberships" "UsersGetOrganizationMemberships";
    "Users", SecretKey, Backend, Bare; "List a user's memberships in organizations: none, before there are any."
}
request! {
    /// Names a user, and a page.
    ListUserOrganizationInvitations {
        /// The user.
        user_id: UserId,
        /// Those in this status: `pending`, `accepted`, `revoked` or `expired`.
        status: Option<String>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => NoneOfOrganizations; Backend GET "/v1/users/{user_id}/organization_invitations" "UsersGetOrganizationInvitations";
    "Users", SecretKey, Backend, Bare; "List a user's invitations to organizations: none, before there are any."
}
request! {
    /// Creates a user. Addresses given here count as verified.
    CreateUser {
        /// The app's own id; unique in the instance.
        external_id: Option<String>,
        /// First name.
        first_name: Option<String>,
        /// Last name.
        last_name: Option<String>,
        /// BCP 47 tag of the user's language.
        locale: Option<String>,
        /// Addresses; the first becomes the primary one.
        email_address: Option<Vec<String>>,
        /// `verified` or `reserved` for each address.
        email_address_identification_status: Option<Vec<String>>,
        /// Numbers; the first becomes the primary one.
        phone_number: Option<Vec<String>>,
        /// The same for each number.
        phone_number_identification_status: Option<Vec<String>>,
        /// Wallets; they count as verified.
        web3_wallet: Option<Vec<String>>,
        /// The user name.
        username: Option<String>,
        /// The password.
        password: Option<String>,
        /// A hash from another system, in place of a password.
        password_digest: Option<String>,
        /// What made the hash.
        password_hasher: Option<String>,
        /// Whether the password policy is skipped.
        skip_password_checks: Option<bool>,
        /// Whether the user may be without a password where the instance requires one.
        skip_password_requirement: Option<bool>,
        /// Whether the user may be without what the instance requires.
        skip_user_requirement: Option<bool>,
        /// The secret of an authenticator app in base32, which counts as proven.
        totp_secret: Option<String>,
        /// Backup codes, each as it is or as its bcrypt digest; at most 20.
        backup_codes: Option<Vec<String>>,
        /// Metadata for all to read.
        public_metadata: Option<Object>,
        /// Metadata for the backend.
        private_metadata: Option<Object>,
        /// Metadata for the browser.
        unsafe_metadata: Option<Object>,
        /// Whether the user may delete the account.
        delete_self_enabled: Option<bool>,
        /// When the legal terms were accepted, RFC 3339.
        legal_accepted_at: Option<String>,
        /// Whether legal acceptance may be missing.
        skip_legal_checks: Option<bool>,
        /// Whether the user may create organizations.
        create_organization_enabled: Option<bool>,
        /// How many.
        create_organizations_limit: Option<i64>,
        /// When the user was created elsewhere, RFC 3339.
        created_at: Option<String>,
        /// Whether a new device is trusted without a further proof.
        bypass_client_trust: Option<bool>,
        /// Taken without effect: nothing here depends on it, and it does not show.
        timezone: Option<String>,
        /// Whether the user starts out banned.
        banned: Option<bool>,
        /// Whether the user starts out locked.
        locked: Option<bool>,
    } => User; Backend POST "/v1/users" "CreateUser";
    "Users", SecretKey, Backend, Bare; "Create a user."
}
request! {
    /// Names a user.
    GetUser {
        /// The user.
        user_id: UserId,
    } => User; Backend GET "/v1/users/{user_id}" "GetUser";
    "Users", SecretKey, Backend, Bare; "Get a user."
}
request! {
    /// Changes a user. Fields that are left out stay; null clears.
    #[derive(Default)]
    UpdateUser {
        /// The user.
        user_id: UserId,
        /// The app's own id.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        external_id: Option<Option<String>>,
        /// First name.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        first_name: Option<Option<String>>,
        /// Last name.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        last_name: Option<Option<String>>,
        /// BCP 47 tag of the user's language.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        locale: Option<Option<String>>,
        /// A verified address of the user.
        primary_email_address_id: Option<String>,
        /// Whether the user is told of a new primary address.
        notify_primary_email_address_changed: Option<bool>,
        /// A verified number of the user that is not kept for second factors.
        primary_phone_number_id: Option<String>,
        /// A verified wallet of the user.
        primary_web3_wallet_id: Option<String>,
        /// Refused: a picture is set by its upload.
        profile_image_id: Option<String>,
        /// The user name.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        username: Option<Option<String>>,
        /// The password.
        password: Option<String>,
        /// A hash from another system, in place of a password.
        password_digest: Option<String>,
        /// What made the hash.
        password_hasher: Option<String>,
        /// Whether the password policy is skipped.
        skip_password_checks: Option<bool>,
        /// Whether a new password ends the user's sessions.
        sign_out_of_other_sessions: Option<bool>,
        /// The secret of an authenticator app in base32, in the place of the one before.
        totp_secret: Option<String>,
        /// Backup codes in the place of those before, each as it is or as its bcrypt digest; at most 20.
        backup_codes: Option<Vec<String>>,
        /// Replaces the metadata. Instances on an API date from 2026-05-12 on refuse it here.
        public_metadata: Option<Object>,
        /// The same.
        private_metadata: Option<Object>,
        /// The same.
        unsafe_metadata: Option<Object>,
        /// Whether the user may delete the account.
        delete_self_enabled: Option<bool>,
        /// Whether the user may create organizations.
        create_organization_enabled: Option<bool>,
        /// When the legal terms were accepted, RFC 3339.
        legal_accepted_at: Option<String>,
        /// Whether legal acceptance may be missing.
        skip_legal_checks: Option<bool>,
        /// How many organizations the user may create.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        create_organizations_limit: Option<Option<i64>>,
        /// When the user was created elsewhere, RFC 3339.
        created_at: Option<String>,
        /// Whether a new device is trusted without a further proof.
        bypass_client_trust: Option<bool>,
        /// Taken without effect: nothing here depends on it, and it does not show.
        timezone: Option<String>,
    } => User; Backend PATCH "/v1/users/{user_id}" "UpdateUser";
    "Users", SecretKey, ChangeUser, Bare; "Change a user."
}
request! {
    /// Merges metadata: a null deletes the key it stands for (RFC 7396).
    UpdateUserMetadata {
        /// The user.
        user_id: UserId,
        /// Metadata for all to read.
        public_metadata: Option<Object>,
        /// Metadata for the backend.
        private_metadata: Option<Object>,
        /// Metadata for the browser.
        unsafe_metadata: Option<Object>,
    } => User; Backend PATCH "/v1/users/{user_id}/metadata" "UpdateUserMetadata";
    "Users", SecretKey, ChangeUser, Bare; "Merge a user's metadata."
}
request! {
    /// Replaces metadata as a whole.
    ReplaceUserMetadata {
        /// The user.
        user_id: UserId,
        /// Metadata for all to read.
        public_metadata: Option<Object>,
        /// Metadata for the backend.
        private_metadata: Option<Object>,
        /// Metadata for the browser.
        unsafe_metadata: Option<Object>,
    } => User; Backend PUT "/v1/users/{user_id}/metadata" "ReplaceUserMetadata";
    "Users", SecretKey, ChangeUser, Bare; "Replace a user's metadata."
}
request! {
    /// Names a user.
    DeleteUser {
        /// The user.
        user_id: UserId,
    } => DeletedObject; Backend DELETE "/v1/users/{user_id}" "DeleteUser";
    "Users", SecretKey, Backend, Bare; "Delete a user and everything that is theirs."
}
request! {
    /// Checks a password without a sign-in.
    VerifyPassword {
        /// The user.
        user_id: UserId,
        /// The password.
        password: Option<String>,
    } => Verified; Backend POST "/v1/users/{user_id}/verify_password" "VerifyPassword";
    "Users", SecretKey, Backend, Bare; "Check a user's password."
}
request! {
    /// Names a user.
    BanUser {
        /// The user.
        user_id: UserId,
    } => User; Backend POST "/v1/users/{user_id}/ban" "BanUser";
    "Users", SecretKey, Backend, Bare; "Ban a user and end all their sessions."
}
request! {
    /// Names a user.
    UnbanUser {
        /// The user.
        user_id: UserId,
    } => User; Backend POST "/v1/users/{user_id}/unban" "UnbanUser";
    "Users", SecretKey, Backend, Bare; "Let a banned user in again."
}
request! {
    /// Names users.
    BanUsers {
        /// The users, at most 50.
        user_ids: Option<Vec<String>>,
    } => Vec<User>; Backend POST "/v1/users/ban" "UsersBan";
    "Users", SecretKey, Backend, Bare; "Ban several users."
}
request! {
    /// Names users.
    UnbanUsers {
        /// The users, at most 50.
        user_ids: Option<Vec<String>>,
    } => Vec<User>; Backend POST "/v1/users/unban" "UsersUnban";
    "Users", SecretKey, Backend, Bare; "Let several banned users in again."
}
request! {
    /// Names a user.
    LockUser {
        /// The user.
        user_id: UserId,
    } => User; Backend POST "/v1/users/{user_id}/lock" "LockUser";
    "Users", SecretKey, Backend, Bare; "Lock a user for as long as the instance's lock-out lasts."
}
request! {
    /// Names a user.
    UnlockUser {
        /// The user.
        user_id: UserId,
    } => User; Backend POST "/v1/users/{user_id}/unlock" "UnlockUser";
    "Users", SecretKey, Backend, Bare; "Unlock a user."
}
request! {
    /// Says that a user's password is known to others.
    SetPasswordCompromised {
        /// The user.
        user_id: UserId,
        /// Whether all sessions of the user end.
        revoke_all_sessions: Option<bool>,
    } => User; Backend POST "/v1/users/{user_id}/password/set_compromised" "SetUserPasswordCompromised";
    "Users", SecretKey, Backend, Bare; "Have a user choose a new password at the next sign-in."
}
request! {
    /// Names a user.
    UnsetPasswordCompromised {
        /// The user.
        user_id: UserId,
    } => User; Backend POST "/v1/users/{user_id}/password/unset_compromised" "UnsetUserPasswordCompromised";
    "Users", SecretKey, Backend, Bare; "Let a user keep the password after all."
}
