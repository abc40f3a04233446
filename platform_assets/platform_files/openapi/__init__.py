"""A Platform from an OpenAPI 3 or Swagger 2 specification, with a note of all that was assumed or left out.

specification  the file within bounds, its references, and what both versions say in different words
schemas        the fields of a record, and where a body has its records
paging         a paginator from the names of query parameters
cursors        an incremental cursor from the names of query parameters
draft          all of it put together, without what cannot run
"""

from platform_assets.platform_files.openapi.draft import Draft, draft_platform
from platform_assets.platform_files.openapi.specification import Specification, read_specification

__all__ = ["Draft", "Specification", "draft_platform", "read_specification"]
