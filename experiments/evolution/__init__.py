"""Searches by evolution over many seeds: what lives, and what succeeds."""
