"""Flows without some of their defences, and what those defences stop."""
