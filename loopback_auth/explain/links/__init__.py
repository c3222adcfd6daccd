"""Links of a sign-in explained: requests, responses, and pages where a login is approved."""
