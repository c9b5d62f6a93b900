-- Who a mail says it is from and where answers go, before the @, and what an editor made its body from.
ALTER TABLE message_templates ADD COLUMN from_email_name TEXT;
ALTER TABLE message_templates ADD COLUMN reply_to_email_name TEXT;
ALTER TABLE message_templates ADD COLUMN markup TEXT;
