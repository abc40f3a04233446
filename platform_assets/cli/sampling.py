"""One request per resource of a platform that is being imported, for what its configuration does not say."""

from collections.abc import Iterator, Mapping

from platform_assets.declarations import Platform, PlatformAssetsError, Resource, SingleObject
from platform_assets.extraction.queries import FROM_THE_BEGINNING, Parent, Query, queries
from platform_assets.http.client import ApiClient
from platform_assets.http.pagination.pager import pager
from platform_assets.http.urls import ParamValue
from platform_assets.importing.samples import Sample, at


def take_samples(platform: Platform, client: ApiClient) -> tuple[dict[str, Sample], dict[str, str]]:
    """The first answer of each resource that can be asked for, and why others gave none.

    A child is asked for with the first record of its parent that has the values of its path.
    """
    samples: dict[str, Sample] = {}
    problems: dict[str, str] = {}
    for resource in sorted(platform.resources, key=lambda one: one.parent is not None):
        try:
            if resource.endpoint.job is not None:
                raise NoParent("is a report: one request only creates a job")
            parent = Parent("", _parent_values(platform, resource, samples))
            query = next(_queries(resource, parent, client), None)
            if query is None:
                raise NoParent("there are no values that it is asked for with")
            first = {} if isinstance(platform.paginator_of(resource), SingleObject) else _first_page(platform, resource)
            answer = client.send(query.request(first), None, resource.endpoint)
        except PlatformAssetsError as error:
            problems[resource.name] = client.redact(str(error))
            continue
        samples[resource.name] = Sample(answer.body, answer.headers.get("Link", ""))
    return samples, problems


class NoParent(PlatformAssetsError):
    """A list cannot be asked for by one request: it is a report, or there are no values for its path."""


def _parent_values(platform: Platform, resource: Resource, samples: Mapping[str, Sample]) -> dict[str, str]:
    parents = resource.endpoint.parents
    if not parents:
        return {}
    parent = platform.resource(next(iter(parents.values())).resource)
    found = samples.get(parent.name)
    selected = at(found.body, platform.data_selector_of(parent)) if found else None
    for record in selected if isinstance(selected, list) else [selected]:
        values = {name: at(record, resolve.field) for name, resolve in parents.items()}
        if all(isinstance(value, str | int) for value in values.values()):
            return {name: str(value) for name, value in values.items()}
    raise NoParent(f"no record of the sample of `{parent.name}` has the values of its path")


def _first_page(platform: Platform, resource: Resource) -> dict[str, ParamValue]:
    return dict(pager(platform.paginator_of(resource), None).first())


def _queries(resource: Resource, parent: Parent, client: ApiClient) -> Iterator[Query]:
    return queries(resource, (parent,), FROM_THE_BEGINNING, client.settings.configured, lambda listed: ())
