"""What hatchling adds to the distributions: the dbt project, and the manifest that `make build` has parsed of it.

In the wheel they are in platform_assets/dbt/packaged_project. Without a manifest, as where pip builds a checkout, the
installed package parses the project when it first starts.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGED = "platform_assets/dbt/packaged_project"
FILES = ("dbt_project.yml", "profiles.yml")
FOLDERS = ("macros", "models")
MANIFEST = "target/parsed/manifest.json"


class DbtProjectHook(BuildHookInterface):
    """Adds the files to a wheel or an sdist; an editable install reads them in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        project = Path(self.root) / "dbt_project"
        wanted = [project / name for name in FILES]
        wanted += [path for name in FOLDERS for path in project.joinpath(name).rglob("*") if path.is_file()]
        manifest = project / MANIFEST
        if not manifest.exists() or manifest.stat().st_mtime < max(path.stat().st_mtime for path in wanted):
            self.app.display_warning("dbt_project has no manifest, or an older one: `make build` parses it first")
        else:
            wanted.append(manifest)
        # In the sdist the files have their places already, but for what git ignores.
        folder = PACKAGED if self.target_name == "wheel" else "dbt_project"
        for path in wanted if self.target_name == "wheel" else wanted[-1:]:
            build_data["force_include"][str(path)] = f"{folder}/{path.relative_to(project).as_posix()}"
