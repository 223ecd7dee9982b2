"""Which architectures to try."""
