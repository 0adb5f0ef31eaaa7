"""Metrics, one per file: per-user values, never means."""
