"""From a found architecture to a trained, exported network."""
