"""Forget lists, policies, and what happens to a flagged prompt or answer."""
