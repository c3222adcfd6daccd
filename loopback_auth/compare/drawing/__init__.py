"""A comparison as a table, a web page, Markdown, Mermaid, JSON or HAR: one form in each file."""
