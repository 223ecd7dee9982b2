"""Command-line flags made from the configuration dataclasses."""
