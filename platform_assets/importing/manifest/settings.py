"""The settings that a manifest asks its user for (`spec`), under flat names."""

from collections.abc import Mapping
from typing import Any


class ConfigSettings:
    """The settings of `spec.connection_specification`, which may be nested, as flat names in snake_case.

    Args:
        specification: a JSON schema of an object; None for a manifest without `spec`.
    """

    def __init__(self, specification: Mapping[str, Any] | None = None) -> None:
        self._specification = specification

    @property
    def all(self) -> tuple[str, ...]:
        """Every setting's flat name, in the order of the specification."""
        raise NotImplementedError

    def name(self, path: tuple[str, ...]) -> str:
        """The flat name of the setting at a path, e.g. `("credentials", "client_id")` -> `client_id`.

        Also for one that no specification has: manifests read settings that they never declare.
        """
        raise NotImplementedError

    def is_secret(self, name: str) -> bool:
        """Whether it is marked as a secret (`airbyte_secret`)."""
        raise NotImplementedError

    def is_required(self, name: str) -> bool:
        """Whether the manifest always has it: required, and so is every object around it."""
        raise NotImplementedError

    def default(self, name: str) -> Any:
        """Its declared default; None if it has none."""
        raise NotImplementedError

    def flattened(self, text: str) -> str:
        """A template's text that names settings by their flat names.

        `config['credentials']['client_id']` -> `config['client_id']`, and
        `config['region']` of one that is not required -> `config.get('region', DEFAULT)`.
        """
        raise NotImplementedError
