"""Conditions: one language, one meaning. Everything here is pure."""
