"""What every search method shares; imports no sibling package."""

from nascore import environment

environment.prepare()
