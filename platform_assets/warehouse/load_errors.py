"""Why a load failed, in one line: dlt wraps the reason several times and adds advice that does not apply here."""

import errno
import os
from collections.abc import Iterator

# The disk, a quota or a limit of the process is exhausted.
_FULL = {number: os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}


def reason(error: BaseException) -> str:
    """The innermost exception's type and first line, e.g. `OSError: ...`; a full disk is named as such."""
    chain = list(_chain(error))
    lines = [line for link in chain for line in str(link).splitlines()[:1]]
    root = f"{type(chain[-1]).__name__}: {lines[-1] if lines else ''}".rstrip(": ")
    return f"the disk is full ({root})" if is_disk_full(error) else root


def is_disk_full(error: BaseException) -> bool:
    """Whether there was no room for what was to be written: waiting or trying again will not help."""
    return any(
        getattr(link, "errno", None) in _FULL or any(text in str(link) for text in _FULL.values())
        for link in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and its causes, outermost first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        # dlt's PipelineStepFailed keeps what it wraps in this attribute.
        inner = getattr(link, "exception", None)
        link = inner if isinstance(inner, BaseException) else link.__cause__ or link.__context__
