"""The settings with which a platform reads the sandbox by a vendor's contract, beside the base URL."""

from platform_assets.sandbox.tokens import ninjaone_client_id, ninjaone_client_secret, sandbox_token
from platform_assets.sandbox.vendors.options import VendorOptions

# Contract -> its platform, for those with one token.
_WITH_TOKEN = {
    "buildkite": "ci_analytics",
    "k6_legacy": "load_testing",
    "grafana_k6": "load_testing",
    "sentry": "error_tracking",
    "pipedrive": "crm",
}
# The organizations of the sandbox's error tracking.
_ORGANIZATIONS = "acme,globex,initech"


def vendor_settings(contract: str, options: VendorOptions) -> dict[str, str]:
    """Setting -> value. The vendors' limits are lifted: the sandbox has none unless its options say so."""
    found = {"contract": contract, "rate_limit": "100000/1"}
    if contract in _WITH_TOKEN:
        found["api_token"] = sandbox_token(_WITH_TOKEN[contract])
    if contract == "ninjaone":
        found |= {"client_id": ninjaone_client_id(), "client_secret": ninjaone_client_secret()}
    if contract == "grafana_k6":
        found["stack_id"] = str(options.grafana_k6.stack_id)
    if contract == "sentry":
        found["organization"] = _ORGANIZATIONS
    return found
