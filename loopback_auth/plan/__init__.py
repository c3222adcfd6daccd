"""The choice between the flows: what is known about this machine and the provider, and what follows."""
