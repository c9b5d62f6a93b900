-- When a client last passed a captcha: for a while it is asked for none.
ALTER TABLE clients ADD COLUMN captcha_passed_at BIGINT;
