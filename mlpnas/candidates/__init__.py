"""Candidates, trained side by side."""
