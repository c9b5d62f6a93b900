-- What the list of users is ordered by.
ALTER TABLE users ADD COLUMN primary_web3_wallet TEXT;
UPDATE users SET primary_web3_wallet = (SELECT w.address FROM web3_wallets w
  WHERE w.instance_id = users.instance_id AND w.id = users.primary_web3_wallet_id) WHERE has_web3_wallets;
CREATE INDEX users_by_primary_web3_wallet ON users (instance_id, (COALESCE(primary_web3_wallet, '')), id);
-- Of those that begin with the instance no planner prefers one, unless it has a column more that is asked for.
DROP INDEX users_banned;
CREATE INDEX users_banned ON users (instance_id, banned, created_at, id) WHERE banned;
