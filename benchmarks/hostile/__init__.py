"""What a hostile client can send, and whether anything of it reaches the model unjudged."""
