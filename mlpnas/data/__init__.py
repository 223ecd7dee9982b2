"""The examples that perceptrons learn from."""
