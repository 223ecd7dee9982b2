"""One architecture from scratch: training, evaluation, what is left."""
