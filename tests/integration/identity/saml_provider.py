"""A SAML identity provider: signed answers made by hand with python3-saml's own tools and a self-made key."""

import base64
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from onelogin.saml2.constants import OneLogin_Saml2_Constants
from onelogin.saml2.utils import OneLogin_Saml2_Utils

ENTITY_ID = "https://idp.acme.test/metadata"
SSO_URL = "https://idp.acme.test/sso"

_RESPONSE = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_{response_id}" Version="2.0" IssueInstant="{now}"
 Destination="{acs}"{in_response_to}><saml:Issuer>{issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
{assertion}</samlp:Response>"""

_ASSERTION = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
 xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 ID="_{assertion_id}" Version="2.0" IssueInstant="{now}"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>
<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{name_id}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData NotOnOrAfter="{later}" Recipient="{acs}"{in_response_to}/>
</saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{earlier}" NotOnOrAfter="{later}"><saml:AudienceRestriction>
<saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{now}" SessionIndex="_{assertion_id}"><saml:AuthnContext>
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>
<saml:Attribute Name="email"><saml:AttributeValue xsi:type="xs:string">{email}</saml:AttributeValue>
</saml:Attribute></saml:AttributeStatement></saml:Assertion>"""

_METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso_url}"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"""


def _key_and_certificate() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.acme.test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = certificate.sign(key, hashes.SHA256())
    no_password = serialization.NoEncryption()
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, no_password
    )
    return key_pem.decode(), signed.public_bytes(serialization.Encoding.PEM).decode()


def request_id(redirect: str) -> str:
    """The id of the request that the browser carries to the provider."""
    packed = parse_qs(urlsplit(redirect).query)["SAMLRequest"][0]
    xml = zlib.decompress(base64.b64decode(packed), -15).decode()
    return ElementTree.fromstring(xml).attrib["ID"]


@dataclass
class SamlProvider:
    """`base` is the URL of the service provider's connection: `<base>/acs`, `<base>/metadata`."""

    base: str = ""
    email: str = "dora@acme.test"
    keys: tuple[str, str] = field(default_factory=_key_and_certificate)

    def metadata(self) -> str:
        body = "".join(self.keys[1].splitlines()[1:-1])
        return _METADATA.format(entity_id=ENTITY_ID, sso_url=SSO_URL, certificate=body)

    def answer(
        self,
        in_response_to: str,
        *,
        audience: str = "",
        keys: tuple[str, str] | None = None,
        is_signed: bool = True,
        age: timedelta = timedelta(),
    ) -> str:
        """What the browser posts, in base64."""
        now = datetime.now(UTC) - age
        times = {
            "now": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "earlier": f"{now - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}",
            "later": f"{now + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}",
        }
        values = times | {
            "issuer": ENTITY_ID,
            "acs": f"{self.base}/acs",
            "audience": audience or f"{self.base}/metadata",
            "in_response_to": f' InResponseTo="{in_response_to}"' if in_response_to else "",
            "name_id": f"id of {self.email}",
            "email": self.email,
            "assertion_id": secrets.token_hex(16),
            "response_id": secrets.token_hex(16),
        }
        assertion = _ASSERTION.format(**values)
        if is_signed:
            assertion = _signed(assertion, *(keys or self.keys))
        return base64.b64encode(_RESPONSE.format(assertion=assertion, **values).encode()).decode()


def _signed(xml: str, key: str, certificate: str) -> str:
    signed = OneLogin_Saml2_Utils.add_sign(
        xml,
        key,
        certificate,
        sign_algorithm=OneLogin_Saml2_Constants.RSA_SHA256,
        digest_algorithm=OneLogin_Saml2_Constants.SHA256,
    )
    return str(signed.decode() if isinstance(signed, bytes) else signed)
