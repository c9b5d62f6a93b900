-- Until when somebody renews the tokens of an account at another provider: a refresh token is good once, and others wait for what it brings.
ALTER TABLE external_accounts ADD COLUMN renewing_until BIGINT NOT NULL DEFAULT 0;
