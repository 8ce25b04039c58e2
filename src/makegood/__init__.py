"""Makegood: an open-source promotion platform for payments."""

__version__ = "0.1.0"
