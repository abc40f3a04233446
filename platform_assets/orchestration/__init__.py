"""Declarations and outcomes as Dagster definitions; the glue, kept thin."""
