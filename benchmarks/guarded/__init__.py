"""What the guards do to a model that knows what is to be forgotten."""
