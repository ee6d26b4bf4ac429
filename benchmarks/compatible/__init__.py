"""Other people's tests of a model server, run against it bare and through the proxy."""
