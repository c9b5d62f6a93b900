ALTER TABLE users ADD COLUMN has_passkeys BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE passkeys (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  rp_id TEXT NOT NULL,
  public_key BYTEA NOT NULL,
  sign_count BIGINT NOT NULL,
  backup_eligible BOOLEAN NOT NULL,
  backed_up BOOLEAN NOT NULL,
  transports TEXT NOT NULL,
  name TEXT NOT NULL,
  last_used_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (instance_id, credential_id);
CREATE INDEX passkeys_user ON passkeys (instance_id, user_id);
