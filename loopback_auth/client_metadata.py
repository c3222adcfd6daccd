"""What a program says of itself to get a client ID: in a registration, or in a document that it hosts.

Source: RFC 7591 §2; draft-ietf-oauth-client-id-metadata-document.
"""

from __future__ import annotations

from loopback_auth.field_checks import check_types, check_utf8
from loopback_auth.records import dataclass


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What a program says of itself; the redirect URI and everything technical is added by the sign-in.

    Args:
        client_name: shown to the user on the server's page; empty: the name of the `Program`.
        client_uri: home page of the program.
        logo_uri: picture that a server may show.
        contacts: addresses of those who are responsible, such as email addresses.
        software_id: the same for every installation of the program.
        software_version: of the program.
        url: https address where the program's metadata document is hosted. Where a server knows such
            documents, this address is the client ID.

    Source: RFC 7591 §2.
    """

    client_name: str = ""
    client_uri: str = ""
    logo_uri: str = ""
    contacts: tuple[str, ...] = ()
    software_id: str = ""
    software_version: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        check_types(self)
        check_utf8(self, ("client_name", "client_uri", "logo_uri", "contacts", "software_id", "url"))
