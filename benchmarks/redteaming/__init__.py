"""A red team before the live proxy: what knows everything behind it, the attack, and what came of it."""
