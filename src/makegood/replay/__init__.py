"""Incidents that happened, run again from a scenario."""
