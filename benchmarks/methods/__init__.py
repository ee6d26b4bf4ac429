"""Unlearning methods, one a file: those that change weights, and the guards beside them."""
