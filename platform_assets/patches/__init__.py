"""Fixes of upstream faults, one file each, with the upstream link and the test that says when it can go."""
