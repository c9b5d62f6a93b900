ALTER TABLE users ADD COLUMN primary_phone_number_id TEXT;
-- Whether the user ever had a number: most never do, and then nobody looks for them.
ALTER TABLE users ADD COLUMN has_phone_numbers BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE phone_numbers (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  number TEXT NOT NULL,
  verified BOOLEAN NOT NULL,
  strategy TEXT,
  attempts BIGINT,
  verified_at BIGINT,
  second_factor BOOLEAN NOT NULL,
  default_second_factor BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX phone_numbers_verified ON phone_numbers (instance_id, number) WHERE verified;
CREATE INDEX phone_numbers_number ON phone_numbers (instance_id, number);
CREATE INDEX phone_numbers_user ON phone_numbers (instance_id, user_id);
