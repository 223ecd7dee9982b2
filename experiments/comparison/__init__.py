"""The report that compares methods: rows, tables, figures, page."""
