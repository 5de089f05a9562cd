"""The Bot API client of everybody: one session, ready-made bodies, outcomes instead of
exceptions.
"""
