"""Reads a declarative low-code connector's manifest (Airbyte CDK's YAML language) as a `Platform`.

reading            a text -> `Manifest` (components): streams as components with nothing left to look up
  plain_data       YAML or JSON within bounds
  references       what `$ref` names (schema_files: in files beside the manifest)
  propagation      types and parameters, as the CDK gives them (vocabulary, legacy)
  dynamic_streams  streams that a template makes of a list
  completing       parameters in their places (parameters, expressions, computing), today's words
  settings         what the user fills in, under flat names (config_paths)
converting         `Manifest` -> `Imported`: a platform and findings
"""
