CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE instances (
  id TEXT PRIMARY KEY,
  environment TEXT NOT NULL,
  name TEXT NOT NULL,
  publishable_key TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX instances_publishable_key ON instances (publishable_key);

CREATE TABLE instance_hosts (
  host TEXT PRIMARY KEY,
  instance_id TEXT NOT NULL,
  scheme TEXT NOT NULL,
  is_primary BOOLEAN NOT NULL
);
CREATE INDEX instance_hosts_instance ON instance_hosts (instance_id);

CREATE TABLE secret_keys (
  key_hash TEXT PRIMARY KEY,
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sealed TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX secret_keys_instance ON secret_keys (instance_id, id);

CREATE TABLE signing_keys (
  instance_id TEXT NOT NULL,
  kid TEXT NOT NULL,
  sealed TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  retires_at BIGINT,
  PRIMARY KEY (instance_id, kid)
);

CREATE TABLE users (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  external_id TEXT,
  username TEXT,
  username_key TEXT,
  first_name TEXT,
  last_name TEXT,
  locale TEXT,
  primary_email_address_id TEXT,
  primary_email_key TEXT,
  password_hash TEXT,
  password_updated_at BIGINT,
  public_metadata TEXT NOT NULL,
  private_metadata TEXT NOT NULL,
  unsafe_metadata TEXT NOT NULL,
  banned BOOLEAN NOT NULL,
  failed_attempts BIGINT NOT NULL,
  locked_until BIGINT,
  delete_self_enabled BOOLEAN NOT NULL,
  create_organization_enabled BOOLEAN NOT NULL,
  create_organizations_limit BIGINT,
  legal_accepted_at BIGINT,
  bypass_client_trust BOOLEAN NOT NULL,
  last_sign_in_at BIGINT,
  last_active_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX users_external_id ON users (instance_id, external_id);
CREATE UNIQUE INDEX users_username ON users (instance_id, username_key);
CREATE INDEX users_created_at ON users (instance_id, created_at, id);
CREATE INDEX users_updated_at ON users (instance_id, updated_at, id);
CREATE INDEX users_last_sign_in_at ON users (instance_id, last_sign_in_at, id);
CREATE INDEX users_last_active_at ON users (instance_id, last_active_at, id);
CREATE INDEX users_first_name ON users (instance_id, first_name, id);
CREATE INDEX users_last_name ON users (instance_id, last_name, id);
CREATE INDEX users_primary_email ON users (instance_id, primary_email_key, id);

CREATE TABLE email_addresses (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  address TEXT NOT NULL,
  address_key TEXT NOT NULL,
  verified BOOLEAN NOT NULL,
  strategy TEXT,
  attempts BIGINT,
  verified_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX email_addresses_verified ON email_addresses (instance_id, address_key) WHERE verified;
CREATE INDEX email_addresses_key ON email_addresses (instance_id, address_key);
CREATE INDEX email_addresses_user ON email_addresses (instance_id, user_id);

CREATE TABLE clients (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  sign_in_id TEXT,
  sign_up_id TEXT,
  last_active_session_id TEXT,
  last_authentication_strategy TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX clients_token ON clients (instance_id, token_hash);
CREATE INDEX clients_created_at ON clients (instance_id, created_at, id);

CREATE TABLE sessions (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL,
  actor TEXT,
  last_active_organization_id TEXT,
  ip_address TEXT,
  user_agent TEXT,
  first_factor_at BIGINT,
  second_factor_at BIGINT,
  last_active_at BIGINT NOT NULL,
  expire_at BIGINT NOT NULL,
  abandon_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE INDEX sessions_client ON sessions (instance_id, client_id, created_at);
CREATE INDEX sessions_user ON sessions (instance_id, user_id, created_at);

CREATE TABLE sign_ins (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  abandon_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE INDEX sign_ins_abandon ON sign_ins (abandon_at);

CREATE TABLE sign_ups (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  abandon_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE INDEX sign_ups_abandon ON sign_ups (abandon_at);

CREATE TABLE verifications (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  strategy TEXT NOT NULL,
  target_id TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  expire_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE INDEX verifications_owner ON verifications (instance_id, owner_id, created_at);
CREATE INDEX verifications_target ON verifications (instance_id, target_id, created_at);
CREATE INDEX verifications_expire ON verifications (expire_at);

CREATE TABLE dev_browsers (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  client_id TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX dev_browsers_token ON dev_browsers (instance_id, token_hash);

CREATE TABLE one_time_tokens (
  instance_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  payload TEXT NOT NULL,
  expire_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, kind, token_hash)
);
CREATE INDEX one_time_tokens_expire ON one_time_tokens (expire_at);

CREATE TABLE refresh_tokens (
  instance_id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  session_id TEXT NOT NULL,
  rotated_at BIGINT,
  expire_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, token_hash)
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (instance_id, session_id);
CREATE INDEX refresh_tokens_expire ON refresh_tokens (expire_at);

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  instance_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  sealed TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  done_at BIGINT,
  failed_at BIGINT,
  last_error TEXT,
  created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE done_at IS NULL AND failed_at IS NULL;
CREATE INDEX jobs_created_at ON jobs (created_at);

CREATE TABLE inbox_messages (
  id TEXT PRIMARY KEY,
  instance_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX inbox_messages_created_at ON inbox_messages (instance_id, created_at);
