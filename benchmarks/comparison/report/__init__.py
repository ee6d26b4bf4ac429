"""The report of a comparison: tables, charts, the answer in words; as HTML and as Markdown, from its figures alone."""
