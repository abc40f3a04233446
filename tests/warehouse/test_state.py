"""How the result of a read changes the saved state."""

from datetime import UTC, datetime

from platform_assets.warehouse import Progress, Status
from platform_assets.warehouse.state import TableContent

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
BEFORE = Progress(
    resource="mail",
    parent="acme",
    parent_id="1",
    partition_key="acme",
    cursor_value=EARLY,
    parent_cursor="v1",
    rows_read=5,
    rows_loaded=3,
    attempted_at=EARLY,
    succeeded_at=EARLY,
)


def attempt(status: Status = Status.OK, **more: object) -> Progress:
    values: dict[str, object] = {
        "resource": "mail",
        "parent": "acme",
        "parent_id": "1",
        "partition_key": "acme",
        "parent_cursor": "v2",
        "status": status,
        "attempted_at": LATE,
        "succeeded_at": LATE if status is Status.OK else None,
        **more,
    }
    return Progress(**values)  # pyright: ignore[reportArgumentType] -- the fields of Progress


def test_a_success_replaces_everything_but_a_newer_cursor() -> None:
    found = BEFORE.after(attempt(cursor_value=LATE, rows_read=1))
    assert (found.cursor_value, found.parent_cursor, found.rows_read, found.succeeded_at) == (LATE, "v2", 1, LATE)
    assert BEFORE.after(attempt(cursor_value=datetime(2025, 1, 1, tzinfo=UTC))).cursor_value == EARLY
    assert BEFORE.after(attempt()).cursor_value == EARLY


def test_a_failed_or_refused_parent_keeps_what_was_read_and_stays_due() -> None:
    for status in (Status.FAILED, Status.SKIPPED):
        found = BEFORE.after(attempt(status, error="403"))
        assert (found.status, found.error, found.attempted_at) == (status, "403", LATE)
        assert (found.cursor_value, found.parent_cursor, found.succeeded_at) == (EARLY, "v1", EARLY)
        assert (found.rows_read, found.rows_loaded) == (5, 3)


def test_another_parent_of_the_same_name_starts_from_the_beginning() -> None:
    other = BEFORE.after(attempt(parent_id="2"))
    assert other.cursor_value is None and other.parent_id == "2"
    refused = BEFORE.after(attempt(Status.SKIPPED, parent_id="2"))
    assert refused.succeeded_at is None and refused.cursor_value is None
    # State of a version that did not record the parent's key is still used.
    assert BEFORE.after(attempt(parent_id=None)).cursor_value == EARLY


def test_state_of_deleted_rows_is_ignored() -> None:
    assert BEFORE.after(attempt(starts_anew=True)).cursor_value is None
    assert BEFORE.after(attempt(Status.FAILED, starts_anew=True)).succeeded_at is None


def test_a_table_has_the_recorded_rows_or_more_after_an_interrupted_load() -> None:
    left = TableContent(10, EARLY)
    assert left.is_still(TableContent(10, EARLY))
    for found in (TableContent(9, EARLY), TableContent(11, EARLY), TableContent(10, LATE), TableContent(0, None)):
        assert not left.is_still(found)
    interrupted = TableContent(10, EARLY, is_loading=True)
    assert interrupted.is_still(TableContent(12, LATE)) and interrupted.is_still(TableContent(10, EARLY))
    assert not interrupted.is_still(TableContent(9, LATE)) and not interrupted.is_still(TableContent(12, None))
    assert TableContent(0, None, is_loading=True).is_still(TableContent(5, LATE))
