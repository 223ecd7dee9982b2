"""What recurrent cells are worth as models of language."""
