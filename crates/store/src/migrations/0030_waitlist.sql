CREATE TABLE waitlist_entries (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  email_address TEXT NOT NULL,
  email_key TEXT NOT NULL,
  status TEXT NOT NULL,
  invitation_id TEXT,
  invited_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX waitlist_entries_email ON waitlist_entries (instance_id, email_key);
CREATE INDEX waitlist_entries_created_at ON waitlist_entries (instance_id, created_at, id);
CREATE INDEX waitlist_entries_invited_at ON waitlist_entries (instance_id, invited_at, id);
CREATE INDEX waitlist_entries_invitation ON waitlist_entries (instance_id, invitation_id);
