"""Reports as a page and as Markdown, of the same tables and figures."""
