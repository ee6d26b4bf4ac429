"""The comparison: target and retained model, every method, their figures and costs, and the report."""
