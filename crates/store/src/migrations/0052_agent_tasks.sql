-- Where the browser of an agent goes once its ticket is used. Null for other tickets.
ALTER TABLE tickets ADD COLUMN redirect_url TEXT;
