-- Clients on which nobody has signed in yet, most of them never.
CREATE INDEX clients_unused ON clients (updated_at) WHERE last_authentication_strategy IS NULL;
