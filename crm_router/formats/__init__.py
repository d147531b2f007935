"""How the back-office writes dates: one style for each language, on every page (FORMAT_MODULE_PATH)."""
