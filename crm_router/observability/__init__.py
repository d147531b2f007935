"""Logs, metrics, and data for Sentry and OpenTelemetry (docs/observability.md)."""
