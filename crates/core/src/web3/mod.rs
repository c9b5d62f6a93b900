//! Web3 wallets: addresses, the text that a wallet signs, and whether it did.
//!
//! A wallet proves itself by signing a text of ours. Ethereum's wallets sign by ERC-191 and ERC-4361, Solana's sign the text
//! as it is. Wallets that are contracts (ERC-1271, ERC-6492) prove nothing without a node of the chain: they are refused.

mod evm;
mod message;
mod prove;
mod solana;
#[cfg(test)]
mod tests;

pub(crate) use prove::{ask, prove};

/// A chain, as far as addresses and signatures differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chain {
    /// Ethereum and those that sign as it does.
    Ethereum,
    /// Solana.
    Solana,
}

/// The strategies, each with the chain of the wallets that it stands for.
pub(crate) const STRATEGIES: [(&str, Chain); 5] = [
    ("web3_metamask_signature", Chain::Ethereum),
    ("web3_base_signature", Chain::Ethereum),
    ("web3_coinbase_wallet_signature", Chain::Ethereum),
    ("web3_okx_wallet_signature", Chain::Ethereum),
    ("web3_solana_signature", Chain::Solana),
];

/// The chain of a strategy; none for one that is not of a wallet.
pub(crate) fn chain_of(strategy: &str) -> Option<Chain> {
    STRATEGIES.iter().find(|(name, _)| *name == strategy).map(|(_, chain)| *chain)
}

/// An address of a wallet, in the one form in which it is compared: lower-case hexadecimal digits, or base58.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    chain: Chain,
}

impl Address {
    /// Reads an address: `0x` and 40 hexadecimal digits, whose checksum (ERC-55) has to be right where their case says that
    /// there is one; or 32 bytes in base58.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        if text.starts_with("0x") {
            return evm::canonical(text).map(|text| Self { text, chain: Chain::Ethereum });
        }
        solana::public_key(text).map(|_| Self { text: text.to_owned(), chain: Chain::Solana })
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its chain.
    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    /// The address as its owner knows it.
    fn shown(&self) -> String {
        match self.chain {
            Chain::Ethereum => evm::checksummed(&self.text),
            Chain::Solana => self.text.clone(),
        }
    }

    /// Whether the owner of the address signed a text. None for a signature that cannot be read.
    fn signed(&self, message: &str, signature: &str) -> Option<bool> {
        match self.chain {
            Chain::Ethereum => evm::Signature::read(signature).map(|it| it.signer(message).as_deref() == Some(&self.text)),
            Chain::Solana => solana::Signature::read(signature).map(|it| it.is_by(&self.text, message)),
        }
    }
}
