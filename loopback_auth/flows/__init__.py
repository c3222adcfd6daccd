"""The flows: generators that call `protocol` in the order in which things happen on the wire."""
