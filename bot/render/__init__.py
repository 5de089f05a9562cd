"""Model → Message: text, entities and buttons; no Telegram, no SQL."""
