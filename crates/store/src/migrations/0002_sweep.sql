-- What the sweep looks for.
CREATE INDEX sessions_expire ON sessions (expire_at);
CREATE INDEX sessions_ended ON sessions (updated_at) WHERE status <> 'active';
CREATE INDEX clients_updated_at ON clients (updated_at);
CREATE INDEX dev_browsers_created_at ON dev_browsers (created_at);
CREATE INDEX inbox_messages_age ON inbox_messages (created_at);
