-- Who may sign up and who may not, by identifier. `list` is `allow` or `block`.
CREATE TABLE access_identifiers (
  instance_id TEXT NOT NULL,
  list TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  identifier TEXT NOT NULL,
  invitation_id TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX access_identifiers_identifier ON access_identifiers (instance_id, list, identifier);
CREATE INDEX access_identifiers_created_at ON access_identifiers (instance_id, list, created_at, id);
