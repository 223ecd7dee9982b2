"""ENAS over whole networks: its macro search space."""
