"""Keys and certificates of the clients at the foreign servers, made anew for each run of the tests."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

CLIENT_DOCUMENT = "https://client.example/loopback-auth.json"
"""A client ID with a document behind it, which every server of `provider.mjs` can read."""

DOCUMENTS = {
    CLIENT_DOCUMENT: {
        "client_id": CLIENT_DOCUMENT,
        "client_name": "A program with a document",
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
}


@dataclass(frozen=True)
class Keys:
    """A folder with everything that `provider.mjs` and its clients need.

    Args:
        folder: private keys `ES256.pem`, `RS256.pem` and `EdDSA.pem`; the authority of the server's
            certificate in `authority.pem`; two client certificates with their keys: `client.pem` of that
            authority, and `own.pem`, which is self-signed.
    """

    folder: Path

    def pem(self, algorithm: str) -> str:
        """Return the private key for an algorithm as PEM."""
        return (self.folder / f"{algorithm}.pem").read_text()

    def jwk(self, algorithm: str) -> str:
        """Return the same key as a JWK with its `kid`."""
        key = _TYPES[algorithm].import_key(self.pem(algorithm), {"kid": algorithm})
        return json.dumps(key.as_dict(private=True))

    def file(self, name: str) -> str:
        """Return the path of one of the files."""
        return str(self.folder / name)


Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_TYPES: dict[str, type[ECKey | RSAKey | OKPKey]] = {"ES256": ECKey, "RS256": RSAKey, "EdDSA": OKPKey}


def made_keys(folder: Path) -> Keys:
    """Make everything, and say in `public.json` what the server may know of it."""
    made: dict[str, Private] = {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "RS256": rsa.generate_private_key(65537, 2048),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    for algorithm, private in made.items():
        (folder / f"{algorithm}.pem").write_bytes(_pem(private))
    keys = Keys(folder)
    public = [import_key(json.loads(keys.jwk(name))).as_dict(private=False) for name in made]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(keys.file("authority.pem"))
    for name, identity in (("server", "127.0.0.1"), ("client", "client.example")):
        issued = authority.issue_cert(identity)
        issued.cert_chain_pems[0].write_to_path(keys.file(f"{name}.pem"))
        issued.private_key_pem.write_to_path(keys.file(f"{name}.key"))
    own = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(own)
    (folder / "own.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "own.key").write_bytes(_pem(own))
    shown = ECKey.import_key(own.public_key()).as_dict(private=False)
    shown["x5c"] = [b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
    told = {"clientKeys": {"keys": public}, "certificateKeys": {"keys": [shown]}, "documents": DOCUMENTS}
    (folder / "public.json").write_text(json.dumps(told))
    return keys


def _pem(private: Private) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "own.example")])
    now, day = datetime.now(UTC), timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - day)
    return made.not_valid_after(now + day).sign(key, hashes.SHA256())
