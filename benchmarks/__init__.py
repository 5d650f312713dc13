"""Benchmarks of liqmap and of alternatives in one process: `make bench`, or `python -m benchmarks NAME`."""
