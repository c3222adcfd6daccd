"""A correct, strict authorization server and a simulated user agent, for demonstrations and tests."""
