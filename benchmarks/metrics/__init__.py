"""What is measured of a model that has unlearnt, one metric a file."""
