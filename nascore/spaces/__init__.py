"""What may be built."""
