"""Images of the user's own, which no other package prepares."""
