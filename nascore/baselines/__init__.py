"""Methods that are a strategy of the shared room and nothing else."""
