use super::List;
use crate::endpoint::request;
use crate::resource::TrustedDevice;
use doorward_base::{TrustedDeviceId, UserId};

request! {
    /// Names a user.
    ListUserTrustedDevices {
        /// The user.
        user_id: UserId,
    } => List<TrustedDevice>; Backend GET "/v1/users/{user_id}/trusted_devices" "ListUserTrustedDevices";
    "Users", SecretKey, Backend, Bare; "List a user's trusted devices."
}
request! {
    /// Names a device of a user.
    RevokeUserTrustedDevice {
        /// The user.
        user_id: UserId,
        /// The device.
        trusted_device_id: TrustedDeviceId,
    } => TrustedDevice; Backend DELETE "/v1/users/{user_id}/trusted_devices/{trusted_device_id}" "RevokeUserTrustedDevice";
    "Users", SecretKey, Backend, Bare; "Revoke a user's trusted device."
}
