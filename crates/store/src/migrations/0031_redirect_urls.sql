-- Addresses to which people may be sent back beside those of the allowed origins, such as a native app's own.
CREATE TABLE redirect_urls (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  url TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX redirect_urls_url ON redirect_urls (instance_id, url);
CREATE INDEX redirect_urls_created_at ON redirect_urls (instance_id, created_at, id);
