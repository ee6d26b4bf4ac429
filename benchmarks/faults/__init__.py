"""What breaks around the proxy, and what its clients then get: a case for each fault, and the table of a run."""
