"""The log of a command as JSON, an object a line on stderr, if `[logging] format` is `json`.

Whatever else is printed to stderr, by libraries or by processes that the command starts, becomes such an object too, so
that a program which reads the log never meets another line.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing import resource_tracker
from typing import TextIO

import typer

from platform_assets import configuration
from platform_assets.cli.run_output import hide_dlts_tracebacks, own_stderr, stderr_by_lines
from platform_assets.configuration import LOG_FORMAT, LOGGING
from platform_assets.configuration.platform_settings import is_configured
from platform_assets.declarations import PlatformAssetsError
from platform_assets.http.base_urls import account_settings
from platform_assets.http.redaction import Redactor
from platform_assets.log_fields import current_log_fields
from platform_assets.platforms import all_platforms
from platform_assets.warehouse.location import warehouse_secrets

_OURS = "platform_assets"
log = logging.getLogger(f"{_OURS}.cli")
_PRINTED = logging.getLogger("stderr")
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class JsonFormatter(logging.Formatter):
    """A record as one line: `time` (ISO 8601, UTC), `level`, `logger`, `message`, then the fields that are known.

    Args:
        redact: keeps secrets out of every text.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._plain(record.getMessage()),
            **current_log_fields(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            document["exception"] = self._plain(self.formatException(record.exc_info))
        elif record.exc_text:
            document["exception"] = self._plain(record.exc_text)
        return json.dumps(document)

    def _plain(self, text: str) -> str:
        return self._redact(_ANSI.sub("", text))


@contextmanager
def json_log() -> Iterator[None]:
    """Log as JSON inside the context, if the setting says so; an error then ends the command with 1 and is logged."""
    if configuration.read(LOGGING, LOG_FORMAT) != "json":
        yield
        return
    # It would keep stderr open after the command's end.
    resource_tracker.ensure_running()
    formatter = JsonFormatter(Redactor(_secrets()))
    with own_stderr() as file, _logged_to(file, formatter), stderr_by_lines(_log_printed), _errors_logged():
        hide_dlts_tracebacks()
        yield


@contextmanager
def _logged_to(file: TextIO, formatter: logging.Formatter) -> Iterator[None]:
    """Write our own records from INFO on, and those of libraries from WARNING on, as on a terminal."""
    before: list[tuple[logging.Logger, int, list[logging.Handler], bool]] = []
    for name, level in (("", logging.WARNING), (_OURS, logging.INFO)):
        logger = logging.getLogger(name)
        before.append((logger, logger.level, logger.handlers, logger.propagate))
        handler = logging.StreamHandler(file)
        handler.setFormatter(formatter)
        handler.setLevel(level)
        logger.handlers = [handler]
        logger.propagate = False
    logging.getLogger(_OURS).setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level, handlers, propagate in before:
            logger.setLevel(level)
            logger.handlers, logger.propagate = handlers, propagate


def is_json_log() -> bool:
    """Whether records are written as JSON now."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger(_OURS).handlers)


def _log_printed(line: str) -> None:
    if line.strip():
        _PRINTED.warning("%s", line)


@contextmanager
def _errors_logged() -> Iterator[None]:
    """Log what `main` would print."""
    try:
        yield
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except PlatformAssetsError as error:
        log.error("%s", error)  # noqa: TRY400 -- expected, so the message says it all
        raise typer.Exit(1) from None
    except Exception as error:
        log.critical("%s", type(error).__name__, exc_info=error)
        raise typer.Exit(1) from None


def _secrets() -> list[str]:
    """Every credential of the settings. What cannot be read is reported by the command itself."""
    found: list[str] = []
    for platform in all_platforms():
        with suppress(PlatformAssetsError):
            if is_configured(platform):
                found += account_settings(platform).secret_values
    with suppress(PlatformAssetsError):
        found += warehouse_secrets()
    return [secret for secret in found if secret]
