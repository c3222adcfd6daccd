"""The outside: sockets, browsers, HTTP, clocks. Nothing here knows a rule of an RFC."""
