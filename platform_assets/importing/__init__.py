"""Reads other tools' configurations of an API as a `Platform`; says what was mended, assumed, suspected and left out.

documents       a file -> the dlt `rest_api` configuration in it, never run (python_source, values)
dlt_config      the configuration -> `Imported`: a platform and findings
dlt_client    base URL, headers and credential
dlt_resources resources with their defaults merged, paths and parameters
dlt_paginators, dlt_incremental, selectors   the parts of an endpoint
parents       parents that nobody declared
doctor        what is carried as it stands, and is probably not what was meant
completion      what a platform that is known already says where the configuration says nothing
"""
