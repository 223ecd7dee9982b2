"""The found network as files for others, and read again."""
