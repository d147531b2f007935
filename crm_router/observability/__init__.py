"""Seeing inside: logs, metrics, and what may be sent to Sentry and OpenTelemetry. docs/observability.md explains it."""
