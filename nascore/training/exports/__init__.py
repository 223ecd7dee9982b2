"""A trained network as files for others, and read again."""
