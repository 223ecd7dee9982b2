"""Speed and memory, run by hand."""
