"""A user's folder of pictures."""
