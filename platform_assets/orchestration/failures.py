"""How a load fails: which failures a retry may fix, and what the failed step says about each asset."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import dagster as dg

from platform_assets.declarations import Platform
from platform_assets.declarations.errors import about
from platform_assets.sync import ResourceOutcome

# Metadata of a failed step: the assets, and asset[partition]s, that a retry does not fix. The freshness sensor leaves
# these alone for a day.
PERMANENT = "permanent"

# For transient infrastructure errors such as a warehouse that is unavailable; what the API refuses is not retried.
TRANSIENT_RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


# Begins the last line of most failures, which is not a reason.
NEXT_STEP = "what to do: "


class Problem(NamedTuple):
    """What failed (an asset, or asset[partition]), why, and whether it fails until somebody changes something."""

    name: str
    reason: str
    permanent: bool


def permanent_failure(platform: Platform, resources: Sequence[str], reason: str) -> dg.Failure:
    """The failure of a run in which none of the resources can load until somebody changes something."""
    names = [f"{platform.name}/{resource}" for resource in resources]
    return dg.Failure(reason, allow_retries=False, metadata={PERMANENT: names})


def failure_of(platform: Platform, outcomes: Sequence[ResourceOutcome]) -> dg.Failure | None:
    """The failure of a run that names everything that did not land and why; None if everything landed."""
    problems = [problem for outcome in outcomes for problem in _problems(platform, outcome)]
    if not problems:
        return None
    lines = [about(problem.name, problem.reason) for problem in problems]
    # A missing parent's reason says what to do.
    if not all(outcome.parent_missing for outcome in outcomes if any(_problems(platform, outcome))):
        lines.append(NEXT_STEP + _next_step(platform, problems))
    return dg.Failure(
        # No heading: the first line that anybody sees is the reason.
        "\n".join(lines),
        # Requests were retried already; the freshness sensor requests another run of what may recover.
        allow_retries=False,
        metadata={
            # As text, which the UI shows; of a list it shows a button.
            "failed": ", ".join(problem.name for problem in problems),
            PERMANENT: [problem.name for problem in problems if problem.permanent],
        },
    )


def _next_step(platform: Platform, problems: Sequence[Problem]) -> str:
    if not any(problem.permanent for problem in problems):
        return "nothing, if the server recovers: the next sync reads it again"
    return (
        f"`platform-assets check --platform {platform.name}` says what can be used; what is refused stays so until then"
    )


def retry_of(failure: dg.Failure, retry_number: int) -> dg.RetryRequested | None:
    """The request to run the op again, which was retried `retry_number` times so far; None if it is to fail.

    Requested by the op and not declared as its retry policy: with a policy, Dagster would also run an interrupted op
    again. And not requested once too often: Dagster's "Exceeded max_retries" would stand before the reason.
    """
    if not failure.allow_retries or retry_number >= TRANSIENT_RETRIES.max_retries:
        return None
    return dg.RetryRequested(TRANSIENT_RETRIES.max_retries, TRANSIENT_RETRIES.calculate_delay(retry_number + 1))


def _problems(platform: Platform, outcome: ResourceOutcome) -> Iterator[Problem]:
    name = f"{platform.name}/{outcome.name}"
    if outcome.error is not None:
        yield Problem(name, outcome.error, outcome.permanent)
    for key, partition in outcome.partitions.items():
        if not partition.ok:
            yield Problem(f"{name}[{key}]", partition.errors[0], partition.permanent)
