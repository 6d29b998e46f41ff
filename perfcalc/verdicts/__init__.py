"""Metrics meet the law."""
