"""Is this text about something to forget? No I/O but model files; knows nothing of HTTP."""
