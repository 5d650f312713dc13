"""Benchmarks beside their peers, in one process: `make bench`, or `python -m benchmarks NAME`."""
