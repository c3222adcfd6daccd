"""A program that signs in through the package's door for other programs."""

from loopback_auth import ClientConfig, Provider, ServerMetadata, login_sync

login_sync(ClientConfig(Provider("bench", ServerMetadata("https://as.example")), "bench"))
