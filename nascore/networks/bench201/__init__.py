"""Networks of NAS-Bench-201's cells (Dong and Yang, 2020, section 2.1)."""
