"""What every search method shares; imports no sibling package."""
