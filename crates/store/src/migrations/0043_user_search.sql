-- By what users are found: docs/adr/0031. All of it is derived from the tables of users and their identifiers.
CREATE TABLE user_texts (
  instance_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  email_addresses TEXT NOT NULL,
  phone_numbers TEXT NOT NULL,
  username TEXT NOT NULL,
  name TEXT NOT NULL,
  web3_wallets TEXT NOT NULL,
  external_id TEXT NOT NULL,
  PRIMARY KEY (instance_id, user_id)
) WITHOUT ROWID;

-- Bytes, because databases sort text by the customs of a language.
CREATE TABLE user_terms (
  instance_id TEXT NOT NULL,
  term BYTEA NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (instance_id, term, user_id)
) WITHOUT ROWID;

CREATE TABLE user_counts (
  instance_id TEXT NOT NULL,
  slot BIGINT NOT NULL,
  users BIGINT NOT NULL,
  PRIMARY KEY (instance_id, slot)
);

-- The orders of the list, where a missing value comes before all others: PostgreSQL's indexes have it last.
DROP INDEX users_last_sign_in_at;
DROP INDEX users_last_active_at;
DROP INDEX users_first_name;
DROP INDEX users_last_name;
DROP INDEX users_primary_email;
DROP INDEX users_primary_phone;
CREATE INDEX users_by_last_sign_in_at ON users (instance_id, (COALESCE(last_sign_in_at, -1)), id);
CREATE INDEX users_by_last_active_at ON users (instance_id, (COALESCE(last_active_at, -1)), id);
CREATE INDEX users_by_first_name ON users (instance_id, (COALESCE(first_name, '')), id);
CREATE INDEX users_by_last_name ON users (instance_id, (COALESCE(last_name, '')), id);
CREATE INDEX users_by_primary_email ON users (instance_id, (COALESCE(primary_email_key, '')), id);
CREATE INDEX users_by_primary_phone ON users (instance_id, (COALESCE(primary_phone, '')), id);
CREATE INDEX users_by_username ON users (instance_id, (COALESCE(username_key, '')), id);
CREATE INDEX users_banned ON users (instance_id, created_at, id) WHERE banned;

-- Users are found by their account at another provider.
CREATE INDEX external_accounts_subject_only ON external_accounts (instance_id, subject);
