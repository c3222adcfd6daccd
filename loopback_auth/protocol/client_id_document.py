"""Client ID Metadata Documents: an https address is the client ID, and what stands there is the registration.

Source: draft-ietf-oauth-client-id-metadata-document.
"""

from __future__ import annotations

from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.records import replace


def client_by_document(client: ClientConfig, metadata: ServerMetadata) -> ClientConfig | None:
    """Return a client whose ID is the address of its document; None if it has none, or the server knows none.

    Source: draft-ietf-oauth-client-id-metadata-document-02 §6 (`client_id_metadata_document_supported`).
    """
    url = client.client_metadata.url if client.client_metadata is not None else ""
    if not url or metadata.document.get("client_id_metadata_document_supported") is not True:
        return None
    auth = client.provider.client_auth or "none"
    return replace(client, client_id=url, provider=replace(client.provider, client_auth=auth))
