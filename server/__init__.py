"""HTTP: client endpoints, admin API, upstream, the managed vLLM and the command line."""

__version__ = "0.1.0"
