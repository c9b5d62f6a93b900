CREATE TABLE webhook_apps (
  instance_id TEXT PRIMARY KEY,
  created_at BIGINT NOT NULL
);

CREATE TABLE webhook_endpoints (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  events TEXT NOT NULL,
  secret TEXT NOT NULL,
  old_secret TEXT,
  old_secret_until BIGINT,
  disabled BOOLEAN NOT NULL,
  rate_limit BIGINT,
  version TEXT NOT NULL,
  window_at BIGINT NOT NULL,
  window_count BIGINT NOT NULL,
  failing_since BIGINT,
  paused_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);

CREATE TABLE webhook_events (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  sealed TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE UNIQUE INDEX webhook_events_object ON webhook_events (instance_id, object_id, seq);
CREATE INDEX webhook_events_created_at ON webhook_events (instance_id, created_at, id);
CREATE INDEX webhook_events_age ON webhook_events (created_at);

CREATE TABLE webhook_deliveries (
  instance_id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  status TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  ended_at BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, endpoint_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (instance_id, endpoint_id, next_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_object ON webhook_deliveries (instance_id, endpoint_id, object_id, seq) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_created_at ON webhook_deliveries (instance_id, endpoint_id, created_at, event_id);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);

CREATE TABLE webhook_attempts (
  instance_id TEXT NOT NULL,
  id TEXT NOT NULL,
  endpoint_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  status BIGINT,
  error TEXT,
  response TEXT NOT NULL,
  duration_ms BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (instance_id, id)
);
CREATE INDEX webhook_attempts_delivery ON webhook_attempts (instance_id, endpoint_id, event_id, created_at);
CREATE INDEX webhook_attempts_age ON webhook_attempts (created_at);
