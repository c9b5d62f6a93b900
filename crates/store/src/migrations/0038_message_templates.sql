CREATE TABLE message_templates (
  instance_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  slug TEXT NOT NULL,
  name TEXT,
  subject TEXT,
  body TEXT,
  delivered BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, channel, slug)
);
