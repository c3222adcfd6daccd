"""Sign-in programs and authorization servers of other people, put to the test on this machine."""
