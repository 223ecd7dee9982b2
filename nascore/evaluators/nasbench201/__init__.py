"""NAS-Bench-201: what 15,625 cells reached that others trained."""
