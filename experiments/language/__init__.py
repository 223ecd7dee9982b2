"""What the scripts of models of language share."""
