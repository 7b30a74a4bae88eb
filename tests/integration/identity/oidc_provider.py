"""An OpenID Connect provider on loopback: discovery, authorize, token, jwks and userinfo, which signs in one
person without asking, and can be told to lie."""

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "stepwell"
CLIENT_SECRET = "a secret between two servers"


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """`claims` go into the identity token over what is right; a `forger` signs it with a key of its own.
    `scopes` are those that were asked for last."""

    url: str = ""
    email: str = "dora@acme.test"
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    is_forging: bool = False
    fixed_token: str = ""
    tokens: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    userinfo_requests: int = 0
    token_requests: list[dict[str, str]] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(default_factory=_new_key)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def jwks(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the person is sent back to."""
        assert (query["client_id"], query["response_type"]) == (CLIENT_ID, "code")
        assert query["code_challenge_method"] == "S256"
        self.scopes = query["scope"].split()
        parameters = {"code": secrets.token_urlsafe(8), "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(parameters)}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        self.token_requests.append(form)
        presented = self.fixed_token or self._id_token()
        self.tokens.append(presented)
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": presented}

    def _id_token(self) -> str:
        now = int(time.time())
        right = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": f"subject of {self.email}",
            "email": self.email,
            "name": "Dora of Acme",
            "iat": now,
            "exp": now + 300,
            "jti": secrets.token_hex(8),
        }
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        key = _new_key() if self.is_forging else self.key
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "one"})


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(query))
            self.end_headers()
        elif parts.path == "/jwks":
            self._json(self.provider.jwks())
        elif parts.path == "/userinfo":
            self.provider.userinfo_requests += 1
            self._json(self.provider.userinfo or {"sub": f"subject of {self.provider.email}"})
        else:
            assert parts.path == "/.well-known/openid-configuration"
            self._json(self.provider.discovery())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._json(self.provider.token({name: values[0] for name, values in parse_qs(body).items()}))

    def _json(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def serve(provider: Provider) -> ThreadingHTTPServer:
    """Runs in a thread until `shutdown`; sets the provider's URL."""
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server
