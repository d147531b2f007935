"""Wiring: settings, URLs, WSGI and the API's shared wire format. It may import everything; nobody imports it."""

VERSION = "0.1.0"
