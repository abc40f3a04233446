"""Platforms as files: a declaration read from YAML, and written as YAML or as Python.

The YAML form has the keys of the classes in `declarations`. One of several classes (auth, paginator, param, ...) is a
mapping with `type`, which is the class name in snake_case; a timedelta is `5m`, `26h` or `3d`. All of it follows from
the type annotations of the classes, so a new class or key needs no change here.

    document   a YAML file as nodes with lines, within bounds
    reader     nodes to a Platform, or an error with file and line
    writer     a Platform as YAML or as Python source
    schema     a JSON schema of the YAML form, for editors
    shape      what an annotation allows, and the words for it
    durations  `26h` to a timedelta and back
"""

from platform_assets.platform_files.reader import read_platform
from platform_assets.platform_files.writer import as_python, as_yaml

__all__ = ["as_python", "as_yaml", "read_platform"]
