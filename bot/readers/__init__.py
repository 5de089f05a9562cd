"""Readers: what a reader is shown, put together from the store and the catalog, a file a subject.

They read and decide nothing: what a value means is decided in `bot.detect`. Used by handlers, by
whoever composes messages, and by the command line.
"""
