CREATE TABLE tickets (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  user_id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  status TEXT NOT NULL,
  actor TEXT,
  session_seconds BIGINT,
  expire_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX tickets_token ON tickets (instance_id, token_hash);
CREATE INDEX tickets_user ON tickets (instance_id, user_id);
CREATE INDEX tickets_expire ON tickets (expire_at);
