"""Serve django-oauth-toolkit, with its own pages and one user, as somebody who has just installed it would.

Its issuer goes to stdout as one line of JSON; it runs until stdin ends, so that it never outlives the tests.
Here are only the settings, the login page, which the toolkit leaves to Django, and two public clients.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from threading import Thread

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import URLPattern, URLResolver, include, path
from werkzeug.serving import make_server

USER, PASSWORD = "ada", "an example of a password"
CLIENTS = ("native", "other")
urlpatterns: list[URLPattern | URLResolver] = []
LOGIN = """<!doctype html><html lang="en"><title>Log in</title><form method="post">{% csrf_token %}
{{ form.as_p }}<input type="hidden" name="next" value="{{ next }}"><button>Log in</button></form>"""


def configure(folder: Path) -> None:
    """Set up Django with the toolkit, and a database in a folder."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "registration").mkdir()
    (folder / "registration" / "login.html").write_text(LOGIN)
    settings.configure(
        SECRET_KEY="of a server that lives for some seconds",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [str(folder)],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": pem.decode(),
            "SCOPES": {"openid": "Who you are", "email": "Your address", "profile": "Your name"},
        },
    )
    django.setup()


def fill() -> None:
    """Make the user and the clients."""
    # Both can be imported once Django is set up.
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    User.objects.create_user(USER, f"{USER}@example.org", PASSWORD)
    for name in CLIENTS:
        Application.objects.create(
            name=name,
            client_id=name,
            client_secret="",
            client_type=Application.CLIENT_PUBLIC,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            redirect_uris="http://127.0.0.1/callback",
            algorithm=Application.RS256_ALGORITHM,
        )
    urlpatterns.append(path("accounts/", include("django.contrib.auth.urls")))
    urlpatterns.append(path("", include("oauth2_provider.urls")))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        configure(Path(place))
        fill()
        server = make_server("127.0.0.1", 0, get_wsgi_application(), threaded=True)
        Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(json.dumps({"either": f"http://127.0.0.1:{server.server_port}"}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
