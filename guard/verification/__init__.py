"""The proof that a deletion holds: what is asked, what counts as told, how sure that is, and the signed record."""
