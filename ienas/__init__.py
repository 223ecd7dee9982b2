"""I-ENAS: a reward relative to the architectures evaluated before."""
