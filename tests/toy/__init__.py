"""A method and a space of a package outside of the project."""
