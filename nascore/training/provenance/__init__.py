"""What the weights of a training have seen before."""
