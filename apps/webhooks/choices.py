"""Names that are stored with webhooks and their deliveries."""

from django.db import models


class Scheme(models.TextChoices):
    """How a producer proves who it is (apps/webhooks/verification)."""

    NONE = "none", "No verification"
    STRIPE = "stripe", "Stripe"
    GITHUB = "github", "GitHub"
    SVIX = "svix", "Svix and Standard Webhooks (Clerk, Resend)"
    SLACK = "slack", "Slack"
    SHOPIFY = "shopify", "Shopify"
    HMAC = "hmac", "HMAC of your own"
    BASIC = "basic", "Basic authentication"
    HEADER = "header", "Secret in a header"


class Outcome(models.TextChoices):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    DROPPED = "dropped", "Dropped by the transform"
    ANSWERED = "answered", "Answered by the response function"
    UNVERIFIED = "unverified", "Not verified"
    INVALID = "invalid", "Not readable"
    FAILED = "failed", "Transform failed"
    FILTERED = "filtered"
    BUSY = "busy", "Too many at a time"
    SUSPENDED = "suspended", "Suspended after timeouts"
    UNSTORED = "unstored", "Not stored"


# What the producer, or whoever pretends to be it, got past nothing with: sampled in the log, all counted.
SAMPLED = frozenset({Outcome.UNVERIFIED, Outcome.BUSY, Outcome.SUSPENDED, Outcome.INVALID})
SUCCESSFUL = frozenset({Outcome.ACCEPTED, Outcome.DROPPED, Outcome.ANSWERED})


class Verified(models.TextChoices):
    """What verification came to."""

    NOT_CHECKED = "", "Not checked"
    YES = "verified"
    NO = "failed"
