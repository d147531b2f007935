"""Who is told what has happened: the feed of events, webhooks, the messengers of operators. Nothing imports it."""
