"""Reads a declarative low-code connector's manifest (Airbyte CDK's YAML language) as a `Platform`.

reading       a text -> `Manifest`: streams as components with nothing left to look up
converting    `Manifest` -> `Imported`: a platform and findings
"""
