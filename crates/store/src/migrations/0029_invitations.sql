CREATE TABLE invitations (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  email_address TEXT NOT NULL,
  email_key TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  status TEXT NOT NULL,
  public_metadata TEXT NOT NULL,
  redirect_url TEXT,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX invitations_token ON invitations (instance_id, token_hash);
CREATE INDEX invitations_email ON invitations (instance_id, email_key, id);
CREATE INDEX invitations_created_at ON invitations (instance_id, created_at, id);
CREATE INDEX invitations_expires_at ON invitations (instance_id, expires_at, id);
