"""The sandbox's credentials: fixed and public, so that nobody mistakes them for secrets."""


def sandbox_token(platform: str) -> str:
    """The token that the sandbox accepts for a platform, e.g. `sandbox-crm-token`."""
    return f"sandbox-{platform.replace('_', '-')}-token"
