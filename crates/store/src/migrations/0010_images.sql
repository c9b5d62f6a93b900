ALTER TABLE users ADD COLUMN image_id TEXT;
CREATE TABLE images (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  bytes BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE INDEX images_user ON images (instance_id, user_id);
