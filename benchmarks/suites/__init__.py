"""What established suites say of a model bare and through the proxy."""
