"""Who may call: API keys and their scopes. Beside the river: reached by settings only, imported by no app."""
