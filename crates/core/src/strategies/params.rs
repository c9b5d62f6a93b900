use doorward_base::Secret;
use doorward_wire::fapi::{AttemptFirstFactor, AttemptSecondFactor, CreateSignIn, PrepareFirstFactor, PrepareSecondFactor};

/// What a request says about a factor. Each strategy reads its own; text that was sent empty counts as not sent.
#[derive(Default)]
pub(crate) struct FactorParams {
    pub strategy: Option<String>,
    /// By what the user was found.
    pub identifier: Option<String>,
    pub email_address_id: Option<String>,
    pub phone_number_id: Option<String>,
    pub web3_wallet_id: Option<String>,
    pub redirect_url: Option<String>,
    pub channel: Option<String>,
    pub code: Option<String>,
    pub password: Option<Secret>,
    pub signature: Option<String>,
    pub trusted_device_id: Option<String>,
    pub client_data: Option<String>,
    pub algorithm: Option<String>,
    pub public_key_credential: Option<String>,
}

impl FactorParams {
    /// The strategy's name.
    pub(crate) fn strategy(&self) -> Option<&str> {
        crate::sign_in::filled(self.strategy.as_deref())
    }

    /// The address to send to.
    pub(crate) fn email_address_id(&self) -> Option<&str> {
        crate::sign_in::filled(self.email_address_id.as_deref())
    }

    /// The number to send to.
    pub(crate) fn phone_number_id(&self) -> Option<&str> {
        crate::sign_in::filled(self.phone_number_id.as_deref())
    }

    /// The wallet that is to sign.
    pub(crate) fn web3_wallet_id(&self) -> Option<&str> {
        crate::sign_in::filled(self.web3_wallet_id.as_deref())
    }

    /// The code that was entered.
    pub(crate) fn code(&self) -> Option<&str> {
        crate::sign_in::filled(self.code.as_deref())
    }

    /// The password. Spaces belong to it.
    pub(crate) fn password(&self) -> Option<&Secret> {
        self.password.as_ref().filter(|password| !password.is_empty())
    }
}

fn secret(text: &Option<String>) -> Option<Secret> {
    text.as_deref().map(Secret::from)
}

impl From<&CreateSignIn> for FactorParams {
    fn from(it: &CreateSignIn) -> Self {
        Self {
            strategy: it.strategy.clone(),
            identifier: it.identifier.clone().flatten(),
            trusted_device_id: it.trusted_device_id.clone(),
            password: secret(&it.password),
            redirect_url: it.redirect_url.clone(),
            channel: it.channel.clone(),
            ..Self::default()
        }
    }
}

impl From<&PrepareFirstFactor> for FactorParams {
    fn from(it: &PrepareFirstFactor) -> Self {
        Self {
            strategy: it.strategy.clone(),
            email_address_id: it.email_address_id.clone(),
            phone_number_id: it.phone_number_id.clone(),
            web3_wallet_id: it.web3_wallet_id.clone(),
            trusted_device_id: it.trusted_device_id.clone(),
            redirect_url: it.redirect_url.clone(),
            channel: it.channel.clone(),
            ..Self::default()
        }
    }
}

impl From<&PrepareSecondFactor> for FactorParams {
    fn from(it: &PrepareSecondFactor) -> Self {
        Self {
            strategy: it.strategy.clone(),
            email_address_id: it.email_address_id.clone(),
            phone_number_id: it.phone_number_id.clone(),
            web3_wallet_id: it.web3_wallet_id.clone(),
            redirect_url: it.redirect_url.clone(),
            channel: it.channel.clone(),
            ..Self::default()
        }
    }
}

impl From<&AttemptFirstFactor> for FactorParams {
    fn from(it: &AttemptFirstFactor) -> Self {
        Self {
            strategy: it.strategy.clone(),
            code: it.code.clone(),
            password: secret(&it.password),
            signature: it.signature.clone(),
            trusted_device_id: it.trusted_device_id.clone(),
            client_data: it.client_data.clone(),
            algorithm: it.algorithm.clone(),
            public_key_credential: it.public_key_credential.clone(),
            ..Self::default()
        }
    }
}

impl From<&AttemptSecondFactor> for FactorParams {
    fn from(it: &AttemptSecondFactor) -> Self {
        Self {
            strategy: it.strategy.clone(),
            code: it.code.clone(),
            public_key_credential: it.public_key_credential.clone(),
            ..Self::default()
        }
    }
}
