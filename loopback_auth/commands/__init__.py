"""The commands of `python -m loopback_auth`, one file each, imported when used."""
