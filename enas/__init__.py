"""Efficient neural architecture search, micro (cell) search space."""
