"""Pages of an organisation, below `/o/<organisation>`; the middleware of tenants has resolved it."""

from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from apps.dashboard.views.organisation import (
    api_keys,
    audit,
    audit_sink,
    environments,
    general,
    members,
    search,
)

app_name = "organisation"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="organisation:environments"), name="home"),
    path("palette", search.palette, name="palette"),
    path("env", environments.environments, name="environments"),
    path("create-environment", environments.create, name="environment-create"),
    path("environments/<uuid:environment_id>/archive", environments.archive, name="environment-archive"),
    path(
        "environments/<uuid:environment_id>/unarchive", environments.unarchive, name="environment-unarchive"
    ),
    path("environments/<uuid:environment_id>/auto", environments.auto_archive, name="environment-auto"),
    path("environments/<uuid:environment_id>/delete", environments.delete, name="environment-delete"),
    path("settings/general", general.general, name="general"),
    path("settings/general/delete", general.delete, name="delete"),
    path("settings/general/undo", general.undo, name="delete-undo"),
    path("settings/general/<slug:what>", general.save, name="general-save"),
    path("settings/members", members.members, name="members"),
    path("settings/members/invite", members.invite, name="invite"),
    path("settings/members/leave", members.leave, name="leave"),
    path("settings/members/<uuid:membership_id>", members.edit, name="member-edit"),
    path("settings/members/<uuid:membership_id>/remove", members.remove, name="member-remove"),
    path("settings/members/<uuid:membership_id>/owner", members.transfer, name="member-owner"),
    path("settings/invitations/<uuid:invitation_id>/resend", members.resend, name="invitation-resend"),
    path("settings/invitations/<uuid:invitation_id>/revoke", members.revoke, name="invitation-revoke"),
    path("settings/api-keys", api_keys.api_keys, name="api-keys"),
    path("settings/api-keys/create", api_keys.create, name="api-key-create"),
    path("settings/api-keys/<uuid:key_id>/rename", api_keys.rename, name="api-key-rename"),
    path("settings/api-keys/<uuid:key_id>/revoke", api_keys.revoke, name="api-key-revoke"),
    path("settings/audit", audit.audit, name="audit"),
    path("settings/audit/export", audit.export, name="audit-export"),
    path("settings/audit/sink", audit_sink.save, name="audit-sink"),
    path("settings/audit/sink/remove", audit_sink.remove, name="audit-sink-remove"),
]
