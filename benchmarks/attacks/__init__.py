"""Ways to ask for what was forgotten so that a detector does not notice."""
