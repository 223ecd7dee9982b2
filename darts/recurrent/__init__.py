"""DARTS on recurrent cells, which model language."""
