"""The sandbox's credentials: fixed and public; they are not secrets."""


def sandbox_token(platform: str) -> str:
    """The token that the sandbox accepts for a platform, e.g. `sandbox-crm-token`."""
    return f"sandbox-{platform.replace('_', '-')}-token"


def ninjaone_client_id() -> str:
    """The client that may ask the sandbox's NinjaOne for access tokens."""
    return "sandbox-ninjaone-client"


def ninjaone_client_secret() -> str:
    return "sandbox-ninjaone-secret"
