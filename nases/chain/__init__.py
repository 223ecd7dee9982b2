"""NASES over chains of layers, the space of its public code."""
