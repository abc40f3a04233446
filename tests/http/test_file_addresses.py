"""Which addresses of files are asked for."""

import threading

import pytest

from platform_assets.cancellation import Cancellation, Cancelled
from platform_assets.http.file_addresses import refusal, signatures
from platform_assets.http.job_places import JobPlaces

API = "https://api.shop.example/v1"


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://files.example/1?sig=x", None),
        ("https://api.shop.example/files/1", None),
        ("http://files.example/1", "without encryption"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://127.0.0.1/x", "private network"),
        ("https://[::1]/x", "private network"),
        ("https://10.0.0.7/x", "private network"),
        ("https://localhost:8080/x", "private network"),
        ("https://me:pw@files.example/1", "a user"),
        ("ftp://files.example/1", "no address"),
        ("file:///etc/passwd", "no address"),
        ("https://files.example:99999/1", "no address"),
        ("abc", "no address"),
        ("", "no address"),
    ],
)
def test_an_answer_leads_neither_inside_nor_away_from_encryption(link: str, why: str | None) -> None:
    found = refusal(link, API)
    assert (found is None) if why is None else (found is not None and why in found)
    assert "pw" not in (found or "")


def test_an_api_of_a_private_network_has_its_files_there() -> None:
    assert refusal("http://127.0.0.1:81/1", "http://127.0.0.1:80") is None


def test_long_values_of_an_address_are_secrets() -> None:
    assert signatures("https://f.example/1?X-Amz-Signature=0123456789abcdef&page=2") == ["0123456789abcdef"]


def test_a_place_is_waited_for_until_the_run_is_cancelled() -> None:
    cancellation = Cancellation()
    places = JobPlaces(1, cancellation)
    with places.place():
        threading.Timer(0.05, cancellation.cancel).start()
        with pytest.raises(Cancelled), places.place():
            pass
    with places.place(), JobPlaces(None, cancellation).place():
        pass
