"""Data sets, comparison runs and measurements; nothing else imports this package."""
