ALTER TABLE users ADD COLUMN primary_web3_wallet_id TEXT;
ALTER TABLE users ADD COLUMN has_web3_wallets BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE web3_wallets (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  address TEXT NOT NULL,
  verified BOOLEAN NOT NULL,
  strategy TEXT,
  verified_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX web3_wallets_verified ON web3_wallets (instance_id, address) WHERE verified;
CREATE INDEX web3_wallets_address ON web3_wallets (instance_id, address);
CREATE INDEX web3_wallets_user ON web3_wallets (instance_id, user_id);
