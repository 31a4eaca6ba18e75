"""The shapes of reminders and push subscriptions in the API."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from media.server.input import Input
from media.server.profiles import PageMeta
from media.server.reminders.endpoint import ENDPOINT_MAX
from media.server.reminders.outbox import Subscription
from media.server.schemas import SpaceOut
from media.space.reminders import Reminder
from media.space.space import Space


def _check_point(text: str) -> str:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(text))
    except ValueError:
        raise ValueError("this is no public key of P-256 in base64url") from None
    return text


def _check_secret(text: str) -> str:
    if len(_bytes(text)) != 16:
        raise ValueError("this is no secret of 16 bytes in base64url")
    return text


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("this is no base64url") from None


_BASE64URL = r"^[A-Za-z0-9_-]+={0,2}$"


class ReminderOut(BaseModel):
    """That somebody will be reminded."""

    space: SpaceOut
    remind_at: datetime | None = Field(
        description="half an hour before the start; null if that is told already, or was past when asked for"
    )

    @classmethod
    def of(cls, space: Space, reminder: Reminder, remind_at: float | None) -> "ReminderOut":
        """Show a reminder of a Space."""
        at = None if remind_at is None or reminder.soon_told or reminder.since >= remind_at else remind_at
        return cls(space=SpaceOut.of(space), remind_at=None if at is None else datetime.fromtimestamp(at, UTC))


class ReminderList(BaseModel):
    """One's own reminders, the earliest Space first."""

    data: list[ReminderOut]
    meta: PageMeta


class PushKey(BaseModel):
    """By which push services know this server (RFC 8292)."""

    public_key: str = Field(description="for `applicationServerKey` of `PushManager.subscribe`: P-256, base64url")


class _Keys(Input):
    p256dh: Annotated[str, Field(min_length=86, max_length=90, pattern=_BASE64URL), AfterValidator(_check_point)]
    auth: Annotated[str, Field(min_length=22, max_length=24, pattern=_BASE64URL), AfterValidator(_check_secret)]


class NewPushSubscription(Input):
    """What `PushSubscription.toJSON()` says in a browser."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "endpoint": "https://push.example.net/wpush/v2/gAAAAABl",
                    "expirationTime": None,
                    "keys": {
                        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
                        "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
                    },
                }
            ]
        },
    )

    endpoint: str = Field(min_length=9, max_length=ENDPOINT_MAX, pattern=r"^https://[!-~]+$")
    keys: _Keys
    expiration_time: float | None = Field(
        None, alias="expirationTime", strict=True, description="taken and not needed"
    )


class PushSubscriptionOut(BaseModel):
    """A browser that gets one's messages."""

    id: str
    endpoint: str
    created_at: datetime

    @classmethod
    def of(cls, subscription: Subscription) -> "PushSubscriptionOut":
        """Show a subscription, without its keys."""
        created = datetime.fromtimestamp(subscription.created_at, UTC)
        return cls(id=subscription.id, endpoint=subscription.endpoint, created_at=created)


class PushSubscriptionList(BaseModel):
    """One's own browsers, newest first."""

    data: list[PushSubscriptionOut]
