"""Decisions, purely: model in, model out; `now` is an argument and every answer carries its
reasons.
"""
