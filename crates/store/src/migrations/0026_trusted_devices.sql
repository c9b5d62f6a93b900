CREATE TABLE trusted_devices (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  app_identifier TEXT NOT NULL,
  name TEXT,
  public_key BYTEA NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE INDEX trusted_devices_user ON trusted_devices (instance_id, user_id);
