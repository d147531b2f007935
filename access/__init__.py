"""API keys and their scopes, and the throttle. Reached by settings only; no app imports it."""
