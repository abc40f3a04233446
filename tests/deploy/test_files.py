"""What can be said about the files of deploy/ where there is no Docker, registry or Kubernetes."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from dagster_k8s.job import UserDefinedDagsterK8sConfig

from tests.deploy.compose import COMPOSE, DEPLOY

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
INSTANCE: dict[str, Any] = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((DEPLOY / "helm-values.yaml").read_text(encoding="utf-8"))


def in_snake_case(found: Any) -> Any:
    """The chart's names, as dagster.yaml has them."""
    if isinstance(found, dict):
        return {re.sub("[A-Z]", lambda big: f"_{big[0].lower()}", key): in_snake_case(of) for key, of in found.items()}
    return found


def test_the_dockerfile_follows_the_rules_of_hadolint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_locked_and_does_not_run_as_root() -> None:
    installed = re.findall(r"uv sync [^&\n]*", DOCKERFILE)
    assert installed and all("--frozen" in line and "--no-dev" in line for line in installed)
    last_stage = DOCKERFILE.split("\nFROM ")[-1]
    (user,) = re.findall(r"^USER (.*)", last_stage, re.MULTILINE)
    assert user == str(VALUES["dagsterDaemon"]["podSecurityContext"]["runAsUser"]) != "0"
    assert not re.search(r"^ADD |\bapt-get\b", DOCKERFILE, re.MULTILINE)


def test_what_the_image_copies_is_not_ignored_and_nothing_secret_is_in_its_context() -> None:
    ignore = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in ignore if line.startswith("!")}
    copied = re.findall(r"^COPY (?:--chown=\S+ )?((?!--from)(?!\. ).*) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert sources and sources <= kept and all((DEPLOY.parent / source).exists() for source in kept)
    # Everything is left out but what is named.
    assert next(line for line in ignore if line and not line.startswith("#")) == "*"
    assert not [name for name in kept if re.search(r"\.dlt|secret|\.env|data|\.git", name)]


def test_only_the_webserver_is_published_and_on_the_loopback() -> None:
    published = {name: service["ports"] for name, service in COMPOSE.items() if "ports" in service}
    assert list(published) == ["webserver"]
    assert all(port.startswith("127.0.0.1:") for port in published["webserver"])


def test_every_service_is_watched_and_restarted() -> None:
    for name, service in COMPOSE.items():
        assert "test" in service["healthcheck"], name
        assert service["restart"] == "unless-stopped", name


def test_the_charts_instance_is_that_of_dagster_yaml() -> None:
    """The chart writes a dagster.yaml of its own; a limit that only one of them has would be a surprise."""
    daemon = in_snake_case(VALUES["dagsterDaemon"])
    for name in ("run_monitoring", "run_retries", "sensors", "schedules"):
        ours = {"max_resume_run_attempts": 0} if name == "run_monitoring" else {}
        assert daemon[name] == {**ours, **INSTANCE[name]}
    assert in_snake_case(VALUES["concurrency"]) == {"enabled": True, **INSTANCE["concurrency"]}
    assert in_snake_case(VALUES["retention"]) == {"enabled": True, **INSTANCE["retention"]}
    queued = daemon["run_coordinator"]["config"]["queued_run_coordinator"]
    assert queued == INSTANCE["run_queue"]


def test_celerys_instance_differs_by_its_launcher_only() -> None:
    celery: dict[str, Any] = yaml.safe_load((DEPLOY / "celery" / "dagster.yaml").read_text(encoding="utf-8"))
    assert celery.pop("run_launcher")["class"] == "WatchfulCeleryRunLauncher"
    assert celery == {name: value for name, value in INSTANCE.items() if name != "run_launcher"}


def test_dagster_k8s_takes_the_settings_of_the_runs_pods() -> None:
    """In the spelling of Kubernetes, as the chart hands them on."""
    given = VALUES["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    config = UserDefinedDagsterK8sConfig.from_dict(in_snake_case_at_the_top(given))
    assert config.container_config["resources"]["limits"]["memory"] == "3Gi"
    assert config.pod_spec_config["security_context"]["run_as_non_root"] is True
    assert config.job_spec_config["ttl_seconds_after_finished"] == 3600


def in_snake_case_at_the_top(given: dict[str, Any]) -> dict[str, Any]:
    """As the chart's template does it: only the names of the parts change."""
    return {re.sub("[A-Z]", lambda big: f"_{big[0].lower()}", part): of for part, of in given.items()}
