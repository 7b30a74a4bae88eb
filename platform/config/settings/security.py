"""What pages may load and do (spec 05, 2.10). Only HTML carries the policy (apps/server/headers.py)."""

from csp.constants import NONCE, NONE, SELF

# Everything comes from this server: no inline script, style or handler, except under the request's nonce.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# Passkeys and the clipboard are used on our own pages; nothing else is.
PERMISSIONS_POLICY = ", ".join(
    [
        *(f"{feature}=()" for feature in ("camera", "display-capture", "geolocation", "microphone")),
        *(f"{feature}=()" for feature in ("payment", "serial", "usb", "browsing-topics")),
        "clipboard-write=(self)",
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)

# What SDKs, senders and monitoring call also without TLS, inside of a private network.
PLAIN_HTTP_PATHS = [r"^(health|metrics|dev|mcp)(/|$)", r"^(e|invoke|fn|v0|v1|v2|api/v2)/"]
