"""The classes of `import ienas`: searches in Keras's habit."""
