"""Randomised simulation: seeded histories of an API are run against the loader, and an independent oracle checks the
tables.

contract    the 47 resources, from api-contracts.md, Part A
clock       the time of a history
store       the records of the API, with all their earlier versions
server      the store over HTTP, with the faults of a history
client      syncs in separate processes, which can be killed
warehouse   the tables in the DuckDB file, or Postgres database
oracle      what the tables may hold after a sync
history     steps, generated from a seed
play        executes the steps of one history
"""
