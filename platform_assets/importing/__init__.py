"""Reads other tools' configurations of an API as a `Platform`; says what was mended, assumed, suspected and left out.

Nothing in a file is ever run, and nothing here reads a network or a secret.

    declared        a file -> whatever it declares
    documents       a file -> the dlt `rest_api` configuration in it (python_source, values), or that it is a manifest
    dlt_config      the configuration -> `Imported`: a platform and findings
      dlt_client    base URL, headers and credential
      dlt_resources resources with their defaults merged, paths, parameters and bodies
      dlt_endpoint  one resource: its list, key and columns (dlt_columns, dlt_incremental, dlt_paginators, selectors)
      parents       parents that nobody declared
      doctor        what is carried as it stands, and is probably not what was meant
    manifest        a declarative connector's manifest -> `Imported`
    client_defaults what most lists share
    completion      what a platform of the same API says where the configuration says nothing
    samples         what one answer of each list tells
    findings        the report
"""
