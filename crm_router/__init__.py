"""The Django project: settings, URLs, WSGI, middleware. It may import every app; no app imports it."""

VERSION = "0.1.0"
