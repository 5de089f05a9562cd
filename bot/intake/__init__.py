"""Updates in: polling or webhook, the inbox, order per chat."""
