"""Error tracking: projects, their events and issues, and releases (the live vendor is Sentry).

The live vendor serves the same paths under `/api/0/`, unless a resource says otherwise.
"""

from datetime import timedelta

from platform_assets.declarations import (
    Account,
    BearerAuth,
    Cadence,
    Client,
    DynamicPartitions,
    Endpoint,
    Freshness,
    HeaderCursor,
    Incremental,
    Platform,
    Resolve,
    Resource,
    Scope,
    SingleObject,
)
from platform_assets.platforms.columns.error_tracking import DESCRIPTIONS
from platform_assets.platforms.vendors import sentry

PER_PROJECT = DynamicPartitions(name="error_tracking_project")
PER_ORGANIZATION = DynamicPartitions(name="error_tracking_organization")

ORGANIZATION = Resolve(resource="projects", field="organization.slug")
PROJECT = {"organization": ORGANIZATION, "project": Resolve(resource="projects", field="slug")}

FILTERED = Freshness(allowed_lag=timedelta(hours=2))

PLATFORM = Platform(
    name="error_tracking",
    title="Error tracking",
    description="Projects, events, issues and releases of an error tracking service.",
    cadence=Cadence(cursored="31 * * * *", snapshots="35 2 * * *", full="35 4 * * 6", verified="35 6 * * 6"),
    client=Client(
        auth=BearerAuth(),
        probe="/v1/projects/",
        account=Account(path="/v1/projects/", resource="projects", fields=("id",)),
        paginator=HeaderCursor(),
    ),
    scopes=(
        Scope(setting="organization", resource="projects", field="organization.slug"),
        Scope(setting="projects", resource="projects", field="slug"),
    ),
    contracts={"sentry": sentry.CONTRACT},
    column_descriptions=DESCRIPTIONS,
    resources=(
        Resource(
            name="projects",
            description="Projects that the token can see, in full: `dateCreated` never sees an edit.",
            # Live today: /api/0/organizations/{organization}/projects/
            endpoint=Endpoint(path="/v1/projects/"),
            columns={
                "id": "text",
                "slug": "text",
                "name": "text",
                "platform": "text",
                "platforms": "json",
                "dateCreated": "timestamp",
                "firstEvent": "timestamp",
                "firstTransactionEvent": "bool",
                "isBookmarked": "bool",
                "isMember": "bool",
                "hasAccess": "bool",
                "hasReplays": "bool",
                "features": "json",
                "environments": "json",
                "team": "json",
                "teams": "json",
                "latestRelease": "json",
                "organization": "json",
            },
        ),
        Resource(
            name="events",
            description="Events of a project; immutable, and kept when the vendor's retention drops them.",
            endpoint=Endpoint(
                path="/v1/projects/{organization}/{project}/events/",
                params=PROJECT,
                incremental=Incremental(
                    cursor_path="dateCreated",
                    start_param="start",
                    # Events that were recorded offline arrive late.
                    lag=timedelta(days=1),
                ),
            ),
            partition=PER_PROJECT,
            freshness=FILTERED,
            personal=("user",),
            columns={
                "id": "text",
                "eventID": "text",
                "groupID": "text",
                "projectID": "text",
                "event.type": "text",
                "title": "text",
                "message": "text",
                "platform": "text",
                "culprit": "text",
                "location": "text",
                "crashFile": "json",
                "dateCreated": "timestamp",
                "user": "json",
                "metadata": "json",
                "tags": "json",
            },
        ),
        Resource(
            name="issues",
            description="Issues of a project; a change of status alone does not move `lastSeen`.",
            # Live today: /api/0/organizations/{organization}/issues/?project=
            endpoint=Endpoint(
                path="/v1/projects/{organization}/{project}/issues/",
                params=PROJECT,
                incremental=Incremental(cursor_path="lastSeen", start_param="start", lag=timedelta(days=1)),
            ),
            partition=PER_PROJECT,
            freshness=FILTERED,
            columns={
                "id": "text",
                "shortId": "text",
                "title": "text",
                "culprit": "text",
                "level": "text",
                "status": "text",
                "statusDetails": "json",
                "type": "text",
                "platform": "text",
                "count": "text",
                "userCount": "bigint",
                "firstSeen": "timestamp",
                "lastSeen": "timestamp",
                "permalink": "text",
                "project": "json",
                "metadata": "json",
                "assignedTo": "json",
                "isBookmarked": "bool",
                "isPublic": "bool",
                "hasSeen": "bool",
                "annotations": "json",
                "numComments": "bigint",
                "stats": "json",
            },
        ),
        Resource(
            name="releases",
            description="Releases of an organization, read in full: they change after `dateCreated`.",
            endpoint=Endpoint(
                path="/v1/organizations/{organization}/releases/",
                params={"organization": ORGANIZATION},
                incremental=Incremental(cursor_path="dateCreated"),
            ),
            partition=PER_ORGANIZATION,
            columns={
                "id": "bigint",
                "version": "text",
                "shortVersion": "text",
                "status": "text",
                "versionInfo": "json",
                "ref": "text",
                "url": "text",
                "dateReleased": "timestamp",
                "dateCreated": "timestamp",
                "data": "json",
                "newGroups": "bigint",
                "owner": "json",
                "commitCount": "bigint",
                "deployCount": "bigint",
                "lastCommit": "json",
                "lastDeploy": "json",
                "authors": "json",
                "projects": "json",
                "firstEvent": "timestamp",
                "lastEvent": "timestamp",
                "currentProjectMeta": "json",
                "userAgent": "text",
            },
        ),
        Resource(
            name="project_detail",
            description="Settings of one project, e.g. data scrubbing and digests, without its secrets.",
            endpoint=Endpoint(
                path="/v1/projects/{organization}/{project}/",
                params=PROJECT,
                paginator=SingleObject(),
            ),
            partition=PER_PROJECT,
            exclude=("securityToken", "options.sentry:token"),
            columns={
                "id": "text",
                "slug": "text",
                "name": "text",
                "platform": "text",
                "dateCreated": "timestamp",
                "status": "text",
                "isPublic": "bool",
                "color": "text",
                "avatar": "json",
                "team": "json",
                "options": "json",
                "digestsMinDelay": "bigint",
                "digestsMaxDelay": "bigint",
                "allowedDomains": "json",
                "resolveAge": "bigint",
                "dataScrubber": "bool",
                "sensitiveFields": "json",
                "verifySSL": "bool",
                "latestRelease": "json",
                "organization": "json",
            },
        ),
    ),
)
