"""Markup in everything that tenants name, and a session of Acme's owner: a JSON object on standard output."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()

    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from tests.integration.security.test_markup import make_hostile, shown_paths

    stage = make_hostile()
    session = SessionStore()
    session[SESSION_KEY] = str(stage.people.alice.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = stage.people.alice.get_session_auth_hash()
    session.create()
    sys.stdout.write(json.dumps({"session": session.session_key, "paths": shown_paths(stage.production)}))
