"""Neural architecture search of multilayer perceptrons."""
