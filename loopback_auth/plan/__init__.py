"""The choice between the flows, from what is known about this machine and the provider."""
