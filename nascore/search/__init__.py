"""The machine: phases, and the search that runs them."""
