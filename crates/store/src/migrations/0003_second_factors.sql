ALTER TABLE verifications ADD COLUMN payload TEXT;

ALTER TABLE users ADD COLUMN totp_enabled BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN backup_codes_enabled BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN mfa_enabled_at BIGINT;
ALTER TABLE users ADD COLUMN mfa_disabled_at BIGINT;

CREATE TABLE totps (
  instance_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sealed TEXT NOT NULL,
  verified BOOLEAN NOT NULL,
  attempts BIGINT NOT NULL,
  last_step BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, user_id)
);

CREATE TABLE backup_codes (
  instance_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, user_id, code_hash)
);

CREATE TABLE reverifications (
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
CREATE INDEX reverifications_abandon ON reverifications (abandon_at);
