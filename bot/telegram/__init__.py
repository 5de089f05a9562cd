"""Everybody's Bot API client: one session, ready-made bodies, outcomes and no exceptions."""
