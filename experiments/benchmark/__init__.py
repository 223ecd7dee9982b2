"""Benchmarks over a table: many seeds of many methods, and their report."""
