"""The training of one model of language from scratch."""
