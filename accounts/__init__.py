"""The back-office's door: who may come in, by which signs, and what each role may do there."""
