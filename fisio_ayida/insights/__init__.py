"""Insights about a patient when a session was completed: facts that are computed, and words that are checked."""
