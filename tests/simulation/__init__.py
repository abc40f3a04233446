"""Histories of an API, played against the loader under one seed, and judged by an oracle of their own.

contract    the 47 resources as api-contracts.md, Part A has them
clock       the time of a history
store       what the API holds, and held
server      that store over HTTP, with the faults a history asks for
client      syncs in processes of their own, which can be killed
warehouse   the tables as they are
oracle      what the tables may hold after a sync
history     steps, made from a seed
play        one history from its first step to its findings; shrinking
"""
