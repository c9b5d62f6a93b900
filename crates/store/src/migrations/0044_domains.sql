-- Other domains whose apps share the users of an instance.
CREATE TABLE satellite_domains (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  proxy_url TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX satellite_domains_name ON satellite_domains (instance_id, name);
