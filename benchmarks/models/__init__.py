"""Small causal language models that know a data set, made on this machine."""
