"""Access tokens that a user's refresh token buys, also from a server that replaces the refresh token each time.

Such a server makes the last refresh token useless, so that the one in the settings is good for one answer only. The
newest is kept in a file of this user (mode 0600), not in the warehouse: others read that. It is written before its
access token is used. All processes of a machine take turns: each reads the file under a lock, so that no token is
used twice (servers take that for theft), and uses the access token that another has bought as long as it is good.

A server that keeps the refresh token as it is has no file, and every process buys for itself.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout

from platform_assets.cancellation import current
from platform_assets.configuration.dagster_home import dagster_home_path
from platform_assets.declarations import OAuth2RefreshToken
from platform_assets.declarations.auth import client_is_in_header
from platform_assets.http.oauth import MARGIN, Bought, Buy, TokenEndpoint

log = logging.getLogger(__name__)

# Seconds after which a wait for another process looks whether the run is cancelled.
_LOCK_SECONDS = 1.0


@dataclass(frozen=True)
class Kept:
    """What a file has: the newest refresh token, and the access token that came with it, with its end (Unix time)."""

    refresh_token: str
    access_token: str
    expires_at: float


class RefreshTokenFile:
    """Where the newest refresh token of one configured token is kept.

    Args:
        name: tells configured tokens apart, see `file_name`.
        folder: made when it is needed; `refresh_tokens` in Dagster's home by default.
    """

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._folder = folder or dagster_home_path() / "refresh_tokens"
        self.path = self._folder / f"{name}.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other threads and processes out. Where no file can be written, there is none to take turns for."""
        lock = FileLock(f"{self.path}.lock", mode=0o600)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            while not lock.is_locked:
                current().check()
                with suppress(Timeout):
                    lock.acquire(timeout=_LOCK_SECONDS)
        except OSError:
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Kept | None:
        """What is kept; None if nothing is."""
        try:
            return Kept(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, kept: Kept) -> None:
        """Replace what is kept, at once or not at all. Raises OSError."""
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(kept), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


def file_name(platform: str, *of: str) -> str:
    """The name of a configured token's file; another value of the setting has another. No secret can be read in it."""
    return f"{platform}-{blake2b(chr(0).join(of).encode(), digest_size=12).hexdigest()}"


def refresh_token(
    endpoint: TokenEndpoint,
    auth: OAuth2RefreshToken,
    secrets: Mapping[str, str],
    on_secret: Callable[[str], None],
    *,
    file: RefreshTokenFile | None = None,
    clock: Callable[[], float] = time.time,
) -> Buy:
    """Buys with the newest refresh token.

    Args:
        on_secret: is given each token that came by an answer or from the file, to keep it out of messages.
        file: where a replaced refresh token is kept; by default in Dagster's home.
        clock: seconds since 1970, the same for all processes.
    """
    configured = secrets[auth.refresh_token]
    name = file_name(endpoint.platform, endpoint.base_url, endpoint.url, secrets[auth.client_id], configured)
    kept_in = file or RefreshTokenFile(name)
    # Where the file cannot be written, this process at least goes on.
    newest = configured

    def buy(refused: str) -> Bought:
        nonlocal newest
        with kept_in.alone():
            kept = kept_in.read()
            if kept is not None:
                on_secret(kept.refresh_token)
                newest = kept.refresh_token
                left = kept.expires_at - clock()
                if kept.access_token != refused and left > MARGIN:
                    return Bought(kept.access_token, left)
            asked_at = clock()
            bought, answer = endpoint.ask({**_form(auth, secrets, newest), **endpoint.data})
            replaced = answer.get("refresh_token")
            if isinstance(replaced, str) and replaced and replaced != newest:
                newest = replaced
                on_secret(newest)
            if newest != configured:
                _keep(kept_in, Kept(newest, bought.token, asked_at + bought.seconds), endpoint.platform)
        return bought

    return buy


def _form(auth: OAuth2RefreshToken, secrets: Mapping[str, str], newest: str) -> dict[str, str]:
    form = {"grant_type": "refresh_token", auth.refresh_token_name: newest}
    if client_is_in_header(auth):
        return form
    form[auth.client_id_name] = secrets[auth.client_id]
    if auth.client_secret is not None:
        form[auth.client_secret_name] = secrets[auth.client_secret]
    return form


def _keep(file: RefreshTokenFile, kept: Kept, platform: str) -> None:
    try:
        file.write(kept)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        log.error(  # noqa: TRY400 -- the reason is enough
            "%s: the server has replaced the refresh token, and the new one cannot be kept in %s (%s):"
            " the next process will need another one in the settings",
            platform,
            file.path,
            reason,
        )
