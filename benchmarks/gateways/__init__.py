"""What a gateway adds to a request: Letheward beside others, before one fast scripted model server."""
