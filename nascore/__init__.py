"""What every search method shares; imports no sibling package."""

from nascore.process import environment

environment.prepare()
