-- What the list of users is ordered by.
ALTER TABLE users ADD COLUMN primary_phone TEXT;
UPDATE users SET primary_phone = (SELECT p.number FROM phone_numbers p
  WHERE p.instance_id = users.instance_id AND p.id = users.primary_phone_number_id) WHERE has_phone_numbers;
CREATE INDEX users_primary_phone ON users (instance_id, primary_phone, id);
