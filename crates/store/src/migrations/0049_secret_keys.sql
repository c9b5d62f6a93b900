-- Of the secret keys of production instances only the hashes are kept.
UPDATE secret_keys SET sealed = '' WHERE instance_id IN (SELECT id FROM instances WHERE environment = 'production');
