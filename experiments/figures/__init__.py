"""The figures of runs, trainings and candidates."""
