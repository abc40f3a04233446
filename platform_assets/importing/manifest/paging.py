"""Paginators of a manifest as ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from platform_assets.declarations import (
    ComputedCursor,
    Cursor,
    Endpoint,
    HeaderLink,
    Incremental,
    JsonLink,
    Offset,
    PageNumber,
    Paginator,
    SinglePage,
    Template,
    UnsizedPages,
)
from platform_assets.declarations.places import POSITION
from platform_assets.declarations.template_problems import FUNCTIONS, PAGE, problem_of
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.options import Option, in_query_of_get, is_named, option_of
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.texts import (
    NotCarried,
    is_template,
    setting_in,
    single_expression,
    small_headers,
)
from platform_assets.importing.manifest.underscores import as_items

_USUAL_SIZE = 100
_TOKEN = re.compile(
    r"\{\{\s*next_page_token(?:\.next_page_token|\[\s*['\"]next_page_token['\"]\s*\])\s*(?:or [^}]*)?\}\}"
)
# A position among other text, as `{{ next_page_token['next_page_token'] or '0' }},50`, maybe in quotes.
_FRAMED = re.compile(rf"(['\"]?)([^{{}}'\"]*){_TOKEN.pattern}([^{{}}'\"]*)\1")
# A position that is counted from another number: `{{ (next_page_token['next_page_token'] or 0) + 1 }}`.
_COUNTED = re.compile(
    r"\{\{\s*\(?\s*next_page_token(?:\.next_page_token|\[\s*['\"]next_page_token['\"]\s*\])"
    r"(?:\s+or\s+['\"]?(\d{1,9})['\"]?)?\s*\)?\s*(?:\+\s*(\d{1,9}))?\s*\}\}"
)
_DEFAULT = r"(?:,\s*(?:\{\}|''|\"\"|None|none))?"
_STEP = rf"(?:\.get\(\s*['\"]([^'\"]+)['\"]\s*{_DEFAULT}\s*\)|\.(\w+)(?!\s*\()|\[\s*['\"]([^'\"]+)['\"]\s*\])"
_RESPONSE_PATH = re.compile(rf"response((?:{_STEP})+)(?:\s+or\s+(?:''|\"\"|none|None))?")
_LINK_HEADER = re.compile(
    r"headers(?:\.|\[\s*['\"])[Ll]ink(?:['\"]\s*\])?(?:\.|\[\s*['\"])next(?:['\"]\s*\])?(?:\.|\[\s*['\"])url(?:['\"]\s*\])?"
)
_HEADER = re.compile(r"headers(?:\.get\(\s*['\"]([\w-]+)['\"]\s*\)|\[\s*['\"]([\w-]+)['\"]\s*\]|\.(\w+))")
_NOT_MORE = re.compile(rf"(?:not\s+response((?:{_STEP})+)|response((?:{_STEP})+)\s*(?:==|is)\s*(?:false|False))")


@dataclass(frozen=True)
class CountedToken:
    """A text with `{}` in place of the position of the next page, which is a number.

    Attributes:
        text: with templates of other values in it.
        first: the position of a first request that has none; None if it says nothing then.
        plus: what is added to each position.
    """

    text: str
    first: int | None
    plus: int


def convert_paging(
    component: Any,
    token: Option | None,
    settings: ConfigSettings,
    findings: Findings,
    name: str,
    *,
    has_body: bool,
    sent_as: str | None = POSITION,
    counted: CountedToken | None = None,
) -> Paginator:
    """The paginator of a retriever. Raises NotCarried if its rows could not all be read.

    Args:
        token: the place that a template of the request fills with the next position.
        has_body: whether the request has a body that a position can be in.
        sent_as: the value at that place, with `{}` for the position; None if it is a template of the request's.
        counted: how positions are counted there; None if as they are.
    """
    if not isinstance(component, Mapping) or component.get("type") == "NoPagination":
        return SinglePage()
    strategy = component.get("pagination_strategy")
    strategy = strategy if isinstance(strategy, Mapping) else {}
    kind = strategy.get("type")
    if component.get("type") != "DefaultPaginator" or kind == "CustomPaginationStrategy":
        raise NotCarried(f"`{strategy.get('class_name', component.get('type'))}` is Python, which is never run")
    size = _size(strategy.get("page_size"), settings, findings, name)
    sized, option = component.get("page_size_option"), component.get("page_token_option")
    limit = None
    if isinstance(sized, Mapping) and is_named(sized, settings):
        limit = in_query_of_get(option_of(sized, "`page_size_option`"), has_body, findings, name)
    if limit is not None and size is None:
        size = _USUAL_SIZE
        findings.assumed(name, "page_size", f"none is said: pages of {size}")
    is_path = isinstance(option, Mapping) and option.get("type") == "RequestPath"
    if isinstance(option, Mapping) and not is_path:
        token = in_query_of_get(option_of(option, "`page_token_option`"), has_body, findings, name)
    if token is None and not is_path:
        why = "the position of the next page is sent nowhere: one page is read, what is behind it never"
        findings.suspected(name, "page_token_option", why)
        return SinglePage()
    if limit is not None and limit == token:
        findings.suspected(name, "page_size_option", "has the same name as the position, and is not sent")
        limit = None
    paging = _Paging(strategy, token, limit, size, findings, name, sent_as, counted)
    if sent_as != POSITION and (limit is not None or kind not in ("PageIncrement", "OffsetIncrement")):
        raise NotCarried("the position of the next page is a part of a value")
    if kind == "PageIncrement":
        return paging.numbered()
    if kind == "OffsetIncrement":
        return paging.by_offset()
    if kind == "CursorPagination":
        return _cursor(paging, is_path)
    raise NotCarried(f"the pagination strategy `{kind}` is not in our vocabulary")


def next_token_in(text: Any) -> bool:
    """Whether a text of a request is the position of the next page, and nothing else."""
    return isinstance(text, str) and _TOKEN.fullmatch(text.strip()) is not None


def framed_token(text: Any) -> str | None:
    """A text of a request with `{}` in place of the position of the next page; None for one without it."""
    found = _FRAMED.fullmatch(text.strip()) if isinstance(text, str) else None
    return f"{found[2]}{{}}{found[3]}" if found else None


def counted_token(text: Any) -> CountedToken | None:
    """A text of a request that has the position of the next page once, among other values; None for another one."""
    found = list(_COUNTED.finditer(text)) if isinstance(text, str) and POSITION not in text else []
    if len(found) != 1 or text.count("next_page_token") != found[0][0].count("next_page_token"):
        return None
    first, plus = (None if one is None else int(one) for one in found[0].groups())
    return CountedToken(text.replace(found[0][0], POSITION), first, plus or 0)


def _size(given: Any, settings: ConfigSettings, findings: Findings, name: str) -> int | None:
    if isinstance(given, bool) or given is None:
        return None
    if isinstance(given, str) and is_template(given):
        setting = setting_in(given, settings)
        default = settings.default(setting) if setting else None
        if isinstance(default, int) and default > 0:
            findings.assumed(name, "page_size", f"is the default of the setting `{setting}`, {default}")
            return default
        findings.assumed(name, "page_size", f"is computed: pages of {_USUAL_SIZE}; the setting `page_size` replaces it")
        return _USUAL_SIZE
    try:
        number = int(given)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < 1_000_000 else None


@dataclass(frozen=True)
class _Paging:
    """What a paginator says, whatever its strategy.

    Attributes:
        token: where a position is sent; None where nothing is said.
        limit: where a page's size is sent; None if it is not.
        size: of a page.
        name: of the resource.
        sent_as: the value at `token`, with `{}` for the position; None if it is a template of the request's.
        counted: how positions are counted there; None if as they are.
    """

    strategy: Mapping[str, Any]
    token: Option | None
    limit: Option | None
    size: int | None
    findings: Findings
    name: str
    sent_as: str | None
    counted: CountedToken | None

    def numbered(self) -> Paginator:
        place = self._counted("page's number")
        given = self.strategy.get("start_from_page", 0)
        first = int(given) if isinstance(given, int | str) and str(given).isdigit() else 0
        if "start_from_page" not in self.strategy:
            why = "pages are counted from 0, as the manifest does not say otherwise; is page 1 read twice?"
            self.findings.suspected(self.name, "start_from_page", why)
        if self.counted is not None or self.limit is None or self.size is None or self.limit.header:
            return self._unsized("page", place, first)
        return PageNumber(
            page_param=place.query or "page",
            page_body_path=place.body,
            limit_param=self.limit.query or "per_page",
            limit_body_path=self.limit.body,
            limit=self.size,
            base_page=first,
        )

    def by_offset(self) -> Paginator:
        place = self._counted("offset")
        if self.counted is not None or self.limit is None or self.size is None or self.limit.header:
            return self._unsized("offset", place, 0, counts_records=True)
        return Offset(
            offset_param=place.query or "offset",
            offset_body_path=place.body,
            limit_param=self.limit.query or "limit",
            limit_body_path=self.limit.body,
            limit=self.size,
        )

    def _counted(self, what: str) -> Option:
        """The place of a position that counts."""
        if self.token is None or self.token.header:
            raise NotCarried(f"the {what} is sent neither in the query nor in the body")
        return self.token

    def _unsized(self, usual: str, place: Option, first: int, *, counts_records: bool = False) -> UnsizedPages:
        if self.size is not None:
            why = f"{self.size} is assumed and never sent: read on until a page is empty"
            self.findings.suspected(self.name, "page_size", why)
        return UnsizedPages(
            page_param=place.query or usual,
            page_body_path=place.body,
            base_page=self._base(first),
            base_is_sent=self._injects_first or self.counted is not None or self.sent_as != POSITION,
            counts_records=counts_records,
            sent_as=self.sent_as,
        )

    @property
    def _injects_first(self) -> bool:
        return self.strategy.get("inject_on_first_request") is True

    def _base(self, first: int) -> int:
        """The position that the first request has. Raises NotCarried if it does not lead to the second one."""
        if self.counted is None:
            return first
        if not self._injects_first and self.counted.first != first:
            raise NotCarried("the position of the first page is not counted as those of the others")
        return first + self.counted.plus


def _cursor(paging: _Paging, is_path: bool) -> Paginator:
    """The paginator of a strategy whose positions the answers have."""
    place, limit, size = None if is_path else paging.token, paging.limit, paging.size
    if limit is not None and limit.header:
        raise NotCarried("the page's size in a header is not in our vocabulary")
    sized: dict[str, Any] = {}
    if limit is not None and size is not None:
        sized = {"limit": size, "limit_param": limit.query, "limit_body_path": limit.body}
    text = paging.strategy.get("cursor_value")
    if not isinstance(text, str):
        raise NotCarried("`cursor_value` is no text")
    inner = single_expression(text) or ""
    path = _response_path(inner)
    stop = paging.strategy.get("stop_condition")
    stop = stop if isinstance(stop, str) and stop.strip() else None
    if stop and path and f"{path}.".startswith(f"{_stop_path(stop)}."):
        # It ends where there is no position, as every list does.
        stop = None
    if place is None and stop is None:
        link = {key: value for key, value in sized.items() if key != "limit_body_path"}
        if path:
            return JsonLink(next_url_path=path, **link)
        if _LINK_HEADER.fullmatch(inner):
            return HeaderLink(**link)
    where: dict[str, Any] = {"is_link": True}
    if place is not None:
        where = {"cursor_param": place.query or "", "cursor_body_path": place.body, "cursor_in_header": place.header}
        more = _stop_path(stop) if stop else None
        if path and (stop is None or more):
            return Cursor(cursor_path=path, more_path=more, **where, **sized)
        header = _HEADER.fullmatch(inner)
        if header and stop is None and "link" not in inner.lower():
            return Cursor(cursor_header=header[1] or header[2] or header[3], **where, **sized)
    condition = _template(stop, "stop_condition", size) if stop else None
    return ComputedCursor(cursor=_template(text, "cursor_value", size), stop=condition, **where, **sized)


def _template(text: str, what: str, size: int | None) -> Template:
    if size is not None:
        text = re.sub(r"\bconfig\s*(?:\.page_size|\[\s*['\"]page_size['\"]\s*\])", str(size), text)
        text = re.sub(r"(?<![\w.'\"])page_size(?![\w'\"])", str(size), text)
    text = small_headers(text)
    text = re.sub(r"\blast_records\s*\[\s*-1\s*\]", "last_record", text)
    text = re.sub(r"\blast_records\s*\|\s*(?:length|count)\b", "last_page_size", text)
    template = Template(as_items(text if is_template(text) else "{{ " + text + " }}"))
    problem = problem_of(template, PAGE | FUNCTIONS)
    if problem is not None:
        raise NotCarried(f"`{what}`: {problem}")
    return template


def _response_path(inner: str) -> str | None:
    found = _RESPONSE_PATH.fullmatch(inner)
    return _dotted(found[1]) if found else None


def _stop_path(stop: str) -> str | None:
    """What of the body is absent at the end, of `{{ not response.next }}`."""
    found = _NOT_MORE.fullmatch(single_expression(stop) or stop.strip())
    if found is None:
        return None
    steps = next(group for group in (found[1], found[5]) if group)
    return _dotted(steps)


def _dotted(steps: str) -> str | None:
    names = [next(filter(None, one)) for one in re.findall(_STEP, steps)]
    return None if any("." in name or "*" in name for name in names) else ".".join(names)


def without_repeated(
    endpoint: Endpoint, paginator: Paginator, incremental: Incremental | None, findings: Findings, name: str
) -> Endpoint:
    """Without parameters that the paginator or the cursor sends under the same name."""
    sent = [getattr(paginator, key, None) for key in ("position_key", "limit_key")]
    if incremental is not None:
        sent += [incremental.start_param, incremental.end_param]
    if isinstance(paginator, UnsizedPages) and paginator.sent_as is None:
        # The position stands in a parameter of the list's own.
        sent.remove(paginator.position_key)
    repeated = [key for key in endpoint.params if key in sent and key not in endpoint.placeholders]
    for key in repeated:
        why = "is left out of the parameters: the paginator or the cursor sends it"
        findings.mended(name, f"request_parameters.{key}", why)
    return replace(endpoint, params={key: one for key, one in endpoint.params.items() if key not in repeated})
