"""What holds for every test."""

from surroundings import (  # noqa: F401 - hooks; the rest is done when it is imported
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_pyfunc_call,
)
