"""A job's requests as endpoints, which is what templates, limits and the client know."""

from dataclasses import replace

from platform_assets.declarations.error_handler import ErrorHandler, ResponseAction
from platform_assets.declarations.places import VALUE
from platform_assets.declarations.report_job import JobRequest
from platform_assets.declarations.resource import Endpoint

# Where the templates of a request have its whole address, which is not sent.
ADDRESS = f"{VALUE}url"

# Creating a job is seldom answered by 200.
_TAKEN = ResponseAction(action="success", status_code=(201, 202, 203))


def as_endpoint(request: JobRequest, endpoint: Endpoint) -> Endpoint:
    """The request of a job that an endpoint declares. Its method is in the request only."""
    address = {} if request.url is None else {ADDRESS: request.url}
    return Endpoint(
        path=request.path or "/",
        base_url=endpoint.base_url if request.base_url is None else request.base_url,
        params={**request.params, **address},
        json=request.json,
        data=request.data,
        headers=request.headers,
        auth=endpoint.auth,
        error_handler=request.error_handler or endpoint.error_handler,
    )


def about_job(endpoint: Endpoint, handler: ErrorHandler) -> Endpoint:
    """An endpoint whose answers tell about a job: JSON, with any status of success.

    Args:
        handler: what its responses mean.
    """
    actions = (*handler.response_actions, _TAKEN)
    return replace(endpoint, job=None, response_format=None, error_handler=replace(handler, response_actions=actions))
