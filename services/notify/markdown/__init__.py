"""Markdown: what people write, as pages and letters may show it."""
