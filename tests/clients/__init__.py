"""Tests of the adapters for HTTP clients."""
