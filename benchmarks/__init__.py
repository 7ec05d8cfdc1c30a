"""Benchmarks (测速): every figure the README claims is a ratio measured in one run by a script here."""
