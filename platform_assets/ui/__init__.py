"""Dagster's webserver, daemon and code server for `platform-assets dev`, as processes that start at the same time.

The way through it: `processes` starts each as `program`, says when the page answers, and ends them in order.
"""
