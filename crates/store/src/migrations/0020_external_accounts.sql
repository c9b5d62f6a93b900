ALTER TABLE users ADD COLUMN has_external_accounts BOOLEAN NOT NULL DEFAULT FALSE;

-- Accounts at other providers. One that is only being connected has no subject yet.
CREATE TABLE external_accounts (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  identification_id TEXT NOT NULL,
  strategy TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  approved_scopes TEXT NOT NULL,
  email_address TEXT NOT NULL,
  email_verified BIGINT,
  first_name TEXT NOT NULL,
  last_name TEXT NOT NULL,
  username TEXT,
  image_url TEXT NOT NULL,
  tokens TEXT,
  expire_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX external_accounts_subject ON external_accounts (instance_id, strategy, issuer, subject) WHERE status = 'verified';
CREATE INDEX external_accounts_user ON external_accounts (instance_id, user_id);

-- What an instance shows a provider to prove that it is its client. Sealed.
CREATE TABLE oauth_secrets (
  instance_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  sealed TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, provider)
);
