"""The flows: generators that string protocol pairs together in the order things happen on the wire."""
