"""What an edge may do."""
