"""Decisions, purely: model in, model out; `now` is an argument, every answer has its reasons."""
