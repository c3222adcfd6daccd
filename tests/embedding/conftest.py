"""The fixtures that the package gives to everybody."""

from loopback_auth.testing import (  # noqa: F401 - pytest finds them by name
    demo_authorization_server,
    demo_faults,
    demo_features,
    simulated_user,
)
