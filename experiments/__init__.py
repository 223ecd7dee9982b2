"""The scripts people run."""
