"""The live vendors' contracts, one file each: what differs from the contract `reference` of their platform.

A platform's file lists its contracts; the setting `contract` chooses one. Facts are from the vendors' own
specifications and documents, as checked on 2026-11-22.
"""
