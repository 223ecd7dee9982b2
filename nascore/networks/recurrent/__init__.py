"""Networks of recurrent cells, which model language."""
