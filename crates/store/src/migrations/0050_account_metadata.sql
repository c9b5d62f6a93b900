-- What an account at another provider was given to carry by the server it came from. Null for nothing.
ALTER TABLE external_accounts ADD COLUMN public_metadata TEXT;
