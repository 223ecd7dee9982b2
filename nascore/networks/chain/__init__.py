"""The network of NASES's public code (jimliu741523/NASES, `model.py`)."""
