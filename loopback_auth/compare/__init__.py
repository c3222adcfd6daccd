"""The flows side by side on one server: run them, judge their traces, draw what happened."""
