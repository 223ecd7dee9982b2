"""Whole networks of operations and skips: ENAS's macro search space."""
