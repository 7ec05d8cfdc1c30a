"""The facts (据): settings and reference data; imports nothing of ours."""
