"""Ways to corrupt embedding rows (ECO, arXiv 2406.07933). Adding one: a function, and a line in ``registry``."""
