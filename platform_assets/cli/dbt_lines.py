"""What `platform-assets dev` shows of a dbt build: a line when it begins and one when it ends.

dbt prints hundreds of lines to the stdout of the run, and Dagster keeps them in the run's log. What warned or failed is
logged by the run itself, with its reason.
"""

import re

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FIRST_NODE = re.compile(r"1 of (\d+) START ")
_SUMMARY = re.compile(r"Done\. PASS=(\d+) WARN=(\d+) ERROR=(\d+) SKIP=(\d+)")


class DbtLines:
    """Reduces the lines of the builds in a stream, one build after another; other lines stay as they are."""

    def __init__(self) -> None:
        self._is_building = False

    def reduced(self, line: str) -> str | None:
        """What to show in place of the line, None for nothing."""
        plain = _COLOUR.sub("", line).strip()
        self._is_building = self._is_building or plain.startswith("Running with dbt=")
        if not self._is_building:
            return line
        if first := _FIRST_NODE.match(plain):
            return f"dbt: {first[1]} models and tests ..."
        if summary := _SUMMARY.match(plain):
            self._is_building = False
            passed, warned, failed, skipped = summary.groups()
            return f"dbt: {passed} passed, {warned} warned, {failed} failed, {skipped} skipped"
        if plain == "Encountered an error:":
            self._is_building = False
            return "dbt: ended with an error"
        return None
