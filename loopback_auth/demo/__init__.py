"""A correct, strict authorization server and a simulated user agent, to practise and to test against."""
