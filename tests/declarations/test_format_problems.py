"""Formats of responses that cannot be read are refused when the definitions load."""

from typing import Any

import pytest

from platform_assets.declarations import (
    Csv,
    Endpoint,
    Gzip,
    JsonLines,
    Lines,
    SingleObject,
)
from tests.declarations.test_validation import problem, resource


@pytest.mark.parametrize(
    ("endpoint", "key", "text"),
    [
        ({"response_format": Csv(delimiter=";;"), "data_selector": ""}, "response_format", "one character"),
        ({"response_format": Gzip(of=Csv(encoding="punycode")), "data_selector": ""}, "response_format", "encodings"),
        ({"response_format": Csv(encoding="hex"), "data_selector": ""}, "response_format", "encodings"),
        ({"response_format": Csv(), "data_selector": "data"}, "data_selector", "which is a list"),
        ({"response_format": JsonLines(), "data_selector": "data"}, "data_selector", "what each line has"),
        ({"response_format": Lines(), "data_selector": "", "paginator": SingleObject()}, "paginator", "one object"),
    ],
)
def test_what_cannot_work_is_named(endpoint: dict[str, Any], key: str, text: str) -> None:
    found = problem(resource(endpoint=Endpoint(path="/things", **endpoint)))
    assert found.key == key and text in str(found)
