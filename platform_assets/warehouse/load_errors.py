"""Why a load failed, in a line: dlt wraps the reason several times and adds advice for pipelines that keep packages."""

import errno
import os
from collections.abc import Iterator

_FULL = {number: os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}
"""The disk, a quota or a limit of the process."""


def reason(error: BaseException) -> str:
    """The innermost exception's kind and first line; a full disk is called one."""
    chain = list(_chain(error))
    lines = [line for one in chain for line in str(one).splitlines()[:1]]
    root = f"{type(chain[-1]).__name__}: {lines[-1] if lines else ''}".rstrip(": ")
    return f"the disk is full ({root})" if is_disk_full(error) else root


def is_disk_full(error: BaseException) -> bool:
    """Whether there was no room for what was to be written."""
    return any(
        getattr(one, "errno", None) in _FULL or any(text in str(one) for text in _FULL.values())
        for one in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and its causes, outermost first."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        # dlt's PipelineStepFailed keeps what it wraps here.
        inner = getattr(one, "exception", None)
        one = inner if isinstance(inner, BaseException) else one.__cause__ or one.__context__
