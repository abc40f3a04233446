"""The sandbox's credentials: fixed and public; they are not secrets."""


def sandbox_token(platform: str) -> str:
    """The token that the sandbox accepts for a platform, e.g. `sandbox-crm-token`."""
    return f"sandbox-{platform.replace('_', '-')}-token"
