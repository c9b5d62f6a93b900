-- An address or a number that a server keeps for a user: not proven yet, theirs alone, and good for signing in.
ALTER TABLE email_addresses ADD COLUMN reserved BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE phone_numbers ADD COLUMN reserved BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX email_addresses_verified;
DROP INDEX phone_numbers_verified;
CREATE UNIQUE INDEX email_addresses_held ON email_addresses (instance_id, address_key) WHERE verified OR reserved;
CREATE UNIQUE INDEX phone_numbers_held ON phone_numbers (instance_id, number) WHERE verified OR reserved;
