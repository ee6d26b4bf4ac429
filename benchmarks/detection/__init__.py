"""What the detector catches, what it lets pass, and what it costs."""
