"""Outbox → Telegram."""
