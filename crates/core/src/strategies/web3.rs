use super::{Answer, Attempt, Consume, Grants, Prepare, Proven, Strategy};
use crate::instance::Instance;
use crate::settings::Presence;
use crate::verification::NewCode;
use crate::web3::{self, Address};
use doorward_base::*;
use doorward_store::users::{UserWithEmails, WalletRecord};
use doorward_wire::fapi::Factor;

/// A signature of one of the user's wallets, by the strategy's name. Every wallet of its chain will do: which program holds the
/// key makes no difference to the signature.
pub(super) struct Web3(pub(super) &'static str);

impl Web3 {
    fn wallets<'a>(&self, instance: &Instance, user: &'a UserWithEmails) -> Vec<&'a WalletRecord> {
        let settings = &instance.settings;
        let on = settings.attributes.web3_wallet != Presence::Off && settings.web3.strategies.iter().any(|name| name == self.0);
        let chain = web3::chain_of(self.0);
        let of_chain = |it: &&WalletRecord| it.verified && Address::parse(&it.address).map(|it| it.chain()) == chain;
        if on { user.wallets.iter().filter(of_chain).collect() } else { Vec::new() }
    }
}

impl Strategy for Web3 {
    fn name(&self) -> &'static str {
        self.0
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let wallets = self.wallets(instance, user).into_iter();
        wallets.map(|it| Factor { strategy: self.0.to_owned(), web3_wallet_id: Some(it.id.clone()), ..Factor::default() }).collect()
    }

    /// The wallet that is named, else the one by which the user was found, else the oldest.
    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(async move {
            let wallets = self.wallets(&with.scope.instance, with.user);
            let named = with.params.identifier.as_deref().and_then(Address::parse);
            let wallet = match with.params.web3_wallet_id() {
                Some(id) => wallets.into_iter().find(|it| it.id.as_str() == id),
                None => {
                    let by_name = wallets.iter().find(|it| named.as_ref().is_some_and(|name| name.as_str() == it.address));
                    by_name.or(wallets.first()).copied()
                }
            };
            let wallet = wallet.ok_or_else(|| ApiError::new(codes::FORM_RESOURCE_MISSING).param("web3_wallet_id"))?;
            let address = Address::parse(&wallet.address).ok_or_else(|| ApiError::internal("a wallet without an address"))?;
            web3::ask(with.scope, with.caller, with.owner, self.0, wallet.id.as_str(), &address)
        })
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(async move {
            let id = with.verification.ok_or(codes::VERIFICATION_MISSING)?;
            crate::sign_in::refuse_locked(with.scope, &with.user.user)?;
            let record = web3::prove(with.scope, id, with.owner, self.0, with.params.signature.as_deref()).await?;
            // The wallet may have been removed since the text was made.
            if !self.wallets(&with.scope.instance, with.user).iter().any(|it| it.id.as_str() == record.target_id) {
                return Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy"));
            }
            let consume = Some(Consume::Verification(record.id));
            Ok(Proven { grants: Grants::SignIn, consume, attempts: record.attempts, both: false })
        })
    }
}
