"""Sign a person in to an OAuth 2.0 / OpenID Connect server from a program without a web address."""
