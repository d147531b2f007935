"""Messages to operators and supervisors: Telegram, e-mail, and webhooks of their own."""
