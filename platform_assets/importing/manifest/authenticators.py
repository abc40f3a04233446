"""The credential of a stream: its authenticator's, those that a setting chooses from, and the request's own."""

from typing import Any

from platform_assets.declarations import Auth, NoAuth, Template
from platform_assets.declarations.auth import templates_of
from platform_assets.declarations.places import BODY
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.credentials import convert_auth, options_of
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.template_credentials import together
from platform_assets.importing.manifest.texts import NotCarried
from platform_assets.importing.names import snake_case

_IN_GET = "a credential in the body of a GET is not in our vocabulary"
# Credentials that may be used instead of the first, by name.
Options = tuple[tuple[str, Auth], ...]


class Authenticators:
    """Converts authenticators, and says what of them is not carried."""

    def __init__(self, settings: ConfigSettings, findings: Findings) -> None:
        self._settings = settings
        self._findings = findings

    def of(
        self, component: Any, base_url: str | Template | None, own: Auth | None, *, has_body: bool
    ) -> tuple[Auth | None, Options]:
        """The credential, None if it cannot be carried, and others that may be used instead. Raises NotCarried.

        Args:
            component: the authenticator.
            own: a credential among the request's own values.
            has_body: whether the request is a POST, or has a body.
        """
        auth, options = self._chosen(component, base_url)
        found = (auth, options) if own is None else self._beside(own, auth, options)
        if found[0] is not None and not has_body and any(one.startswith(BODY) for one in templates_of(found[0])):
            raise NotCarried(_IN_GET)
        return found

    def _chosen(self, component: Any, base_url: str | Template | None) -> tuple[Auth | None, Options]:
        options = options_of(component)
        if not options:
            return self._auth(component, base_url), ()
        found = [(snake_case(name), self._auth(one, base_url)) for name, one in options.items()]
        carried = [(name, auth) for name, auth in found if auth is not None]
        if not carried:
            return None, ()
        first, *others = carried
        if others:
            names = ", ".join(f"`{name}`" for name, _ in others)
            why = f"`{first[0]}` is the credential, unless the setting `contract` names another: {names}"
            self._findings.assumed(None, "authenticator", why)
        return first[1], tuple(others)

    def _beside(self, own: Auth, auth: Auth | None, options: Options) -> tuple[Auth, Options]:
        """The authenticator's credentials with the request's own beside each. Raises NotCarried if none can have it."""
        found: list[tuple[str, Auth]] = []
        why = ""
        for option, one in (("authenticator", auth or NoAuth()), *options):
            try:
                found.append((option, together((one, own))))
            except NotCarried as error:
                why = str(error)
        if not found:
            raise NotCarried(why)
        if why:
            self._findings.not_carried(None, "authenticator", why)
        return found[0][1], tuple(found[1:])

    def _auth(self, component: Any, base_url: str | Template | None) -> Auth | None:
        try:
            return convert_auth(component, self._settings, base_url if isinstance(base_url, str) else "")
        except NotCarried as error:
            self._findings.not_carried(None, "authenticator", f"{error}; `client.auth` of the file is to be corrected")
            return None
