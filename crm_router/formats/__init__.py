"""Date formats of the back-office: one style for each language (FORMAT_MODULE_PATH)."""
