"""Cells and networks as figures."""
