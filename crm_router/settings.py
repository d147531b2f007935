"""All settings, from the environment, with defaults for a single machine.

docs/settings.md lists them. Invalid values stop the start with one message that names all of them.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

import environs
from marshmallow.validate import ContainsOnly, Length, OneOf, Range, Regexp
from phonenumbers import SUPPORTED_REGIONS
from whitenoise.compress import Compressor

from accounts.roles import ROLES
from crm_router import back_office, databases, mail, openapi, secret_key, service_zone
from crm_router.environment import Environment, each, few, networks, private_networks

BASE_DIR = Path(__file__).resolve().parent.parent
THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"]

# Set in the environment.

env = Environment(eager=False)
env.add_parser("database", databases.parse_database_url)
env.add_parser("replica", databases.parse_replica_url)
env.add_parser("networks", networks)
env.add_parser("private_networks", private_networks)
env.add_parser("few", few)
env.add_parser("email_server", mail.parse_email_url)

# Each of these may be empty, which means not set.
token = Regexp(r"$|[\x21-\x7e]{16,}$", error="needs 16 or more characters, without spaces.")
bot_token = Regexp(r"$|\d+:[A-Za-z0-9_-]+$", error="is not a token of a bot (expected 123456:ABC, from @BotFather).")
webhook_secret = Regexp(r"$|[A-Za-z0-9_-]{16,256}$", error="needs 16 to 256 characters: letters, digits, _ and -.")
https_url = Regexp(r"$|https://\S+$", error="must begin with https://.")
dsn = Regexp(r"$|https?://\S+@\S+/\d+$", error="is not a valid DSN (expected https://key@host/project).")
endpoint = Regexp(r"$|https?://\S+$", error="must begin with http:// or https://.")
# Django would accept other forms silently, and they would never match what a client sends.
hosts = each(r"\*|\.?[^\s/:*\[\]]+|\[[0-9a-fA-F:.]+\]", error="is not a valid host name (expected crm.example.com).")
origins = each(r"https?://[^\s/]+", error="is not a valid origin (expected https://crm.example.com).")

DATA_DIR = env.path("DATA_DIR", BASE_DIR / "data")
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "", validate=lambda it: not it or Length(50, error="is shorter than {min}.")(it))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", THIS_MACHINE, validate=[Length(1, error="is empty."), hosts])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [], validate=origins)
HTTPS = env.bool("HTTPS", False)
HSTS_SECONDS = env.int("HSTS_SECONDS", 30 * 24 * 3600, validate=Range(1, 2 * 366 * 24 * 3600))
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", "")
SESSION_HOURS = env.int("SESSION_HOURS", 12, validate=Range(1, 24 * 31))
SIGN_IN_ATTEMPTS = env.int("SIGN_IN_ATTEMPTS", 5, validate=Range(1, 100))
SIGN_IN_WAIT_MINUTES = env.int("SIGN_IN_WAIT_MINUTES", 15, validate=Range(1, 24 * 60))
TWO_FACTOR_ROLES: list[str] = env.list(
    "TWO_FACTOR_ROLES", [], validate=ContainsOnly(ROLES, error="contains an unknown role (expected {choices}).")
)
DATABASE_URL = env.database("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / 'db.sqlite3'))}")
DATABASE_CONNECT_TIMEOUT = env.int("DATABASE_CONNECT_TIMEOUT", 5, validate=Range(1, 300))
DATABASE_NETWORK_TIMEOUT = env.int("DATABASE_NETWORK_TIMEOUT", 6, validate=Range(0, 3600))
DATABASE_STATEMENT_TIMEOUT = env.float("DATABASE_STATEMENT_TIMEOUT", 30.0, validate=Range(0, 86_400))
DATABASE_LOCK_TIMEOUT = env.float("DATABASE_LOCK_TIMEOUT", 10.0, validate=Range(0, 86_400))
DATABASE_IDLE_TIMEOUT = env.float("DATABASE_IDLE_TIMEOUT", 60.0, validate=Range(0, 86_400))
DATABASE_COMMIT_TIMEOUT = env.float("DATABASE_COMMIT_TIMEOUT", 8.0, validate=Range(0, 86_400))
DATABASE_POOLER = env.bool("DATABASE_POOLER", False)
DATABASE_REPLICA_URL = env.replica("DATABASE_REPLICA_URL", "")
DATABASE_REPLICA_MAX_LAG = env.int("DATABASE_REPLICA_MAX_LAG", 10, validate=Range(1, 3600))
STATIC_ROOT = env.path("STATIC_ROOT", DATA_DIR / "static")
PHONE_REGION = env.str(
    "PHONE_REGION", "RU", validate=OneOf(SUPPORTED_REGIONS, error="{input} is not a valid region (expected RU).")
)
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en", validate=OneOf(["en", "ru"]))
TIME_ZONE = env.str(
    "TIME_ZONE",
    "",
    validate=OneOf({"", *available_timezones()}, error="{input} is not a valid time zone (expected Europe/Moscow)."),
)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]))
LOG_FORMAT = env.str("LOG_FORMAT", "line", validate=OneOf(["line", "json"]))
LOG_PERSONAL_DATA = env.bool("LOG_PERSONAL_DATA", False)
METRICS_TOKEN = env.str("METRICS_TOKEN", "", validate=token)
SENTRY_DSN = env.str("SENTRY_DSN", "", validate=dsn)
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "", validate=endpoint)
SWEEP_SECONDS = env.int("SWEEP_SECONDS", 60, validate=Range(0, 86_400))
QUEUE_PACE = env.int("QUEUE_PACE", 0, validate=Range(0, 60))
API_KEYS = env.str("API_KEYS", "required", validate=OneOf(["required", "open"]))
API_KEYS_OPEN_ANYWHERE = env.bool("API_KEYS_OPEN_ANYWHERE", False)
THROTTLE_PER_MINUTE = env.int("THROTTLE_PER_MINUTE", 0, validate=Range(0, 1_000_000))
EVENTS_DAYS = env.int("EVENTS_DAYS", 30, validate=Range(1, 3650))
IDEMPOTENCY_DAYS = env.int("IDEMPOTENCY_DAYS", 30, validate=Range(1, 3650))
RETENTION_MESSAGE_DAYS = env.int("RETENTION_MESSAGE_DAYS", 0, validate=Range(0, 36_500))
RETENTION_PERSON_DAYS = env.int("RETENTION_PERSON_DAYS", 0, validate=Range(0, 36_500))
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", 512 * 1024, validate=Range(1024))
MAX_BATCH_BYTES = env.int("MAX_BATCH_BYTES", 2 * 1024 * 1024, validate=Range(1024))
ANSWER_TIMEOUT = env.int("ANSWER_TIMEOUT", 45, validate=Range(1, 3600))
MAX_JSON_DEPTH = env.int("MAX_JSON_DEPTH", 20, validate=Range(3, 500))
WEBHOOK_PRIVATE_NETWORKS = env.private_networks("WEBHOOK_PRIVATE_NETWORKS", "")
WEBHOOK_CATCH_UP_RATE = env.int("WEBHOOK_CATCH_UP_RATE", 100, validate=Range(1, 10_000))
DELIVER_IN_SERVICE = env.bool("DELIVER_IN_SERVICE", True)
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", "", validate=bot_token)
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL", "https://api.telegram.org", validate=endpoint).rstrip("/")
TELEGRAM_WEBHOOK_URL = env.str("TELEGRAM_WEBHOOK_URL", "", validate=https_url)
TELEGRAM_WEBHOOK_SECRET = env.str("TELEGRAM_WEBHOOK_SECRET", "", validate=webhook_secret)
NOTIFY_PERSONAL_DATA = env.bool("NOTIFY_PERSONAL_DATA", True)
mail_server: dict[str, Any] = env.email_server("EMAIL_URL", "")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "crm-router@localhost")
EMAIL_DIGEST_AFTER = env.int("EMAIL_DIGEST_AFTER", 5, validate=Range(1, 1000))
ALARM_WAIT_MINUTES = env.int("ALARM_WAIT_MINUTES", 10, validate=Range(0, 10_080))
WEB_CONCURRENCY = env.few("WEB_CONCURRENCY", "")
WEB_THREADS = env.few("WEB_THREADS", "")

try:
    env.seal()
except environs.EnvValidationError as error:
    found: Any = error.error_messages  # by name, as `env.seal()` raises them
    sys.exit("\n".join(["Invalid settings:", *(f"{name}: {' '.join(found[name])}" for name in found)]))

foreign = [name for name in ALLOWED_HOSTS if name not in THIS_MACHINE]
replaced = {"QUEUE_BURST": "QUEUE_PACE, contacts a minute that one operator gets out of the queue"}
contradictions = {
    **{
        f"{old} does not exist any more. Remove it, and set {new}.": os.environ.get(old) not in (None, "", "0")
        for old, new in replaced.items()
    },
    f"API_KEYS=open with ALLOWED_HOSTS={','.join(foreign)} would let everyone in who reaches that host. "
    "Set API_KEYS=required, or API_KEYS_OPEN_ANYWHERE=true to confirm.": API_KEYS == "open"
    and foreign
    and not API_KEYS_OPEN_ANYWHERE,
    "API_KEYS=open with TRUSTED_PROXIES would let everyone in whom the proxy lets in. "
    "Set API_KEYS=required, or API_KEYS_OPEN_ANYWHERE=true to confirm.": API_KEYS == "open"
    and TRUSTED_PROXIES
    and not API_KEYS_OPEN_ANYWHERE,
    "HTTPS=true requires TRUSTED_PROXIES: only the proxy knows which requests were encrypted.": HTTPS
    and not TRUSTED_PROXIES,
    "HTTPS=true does not allow DEBUG=true, which shows tracebacks to clients.": HTTPS and DEBUG,
    "DATABASE_REPLICA_URL requires DATABASE_URL=postgres://...: SQLite has no replicas.": DATABASE_REPLICA_URL
    and DATABASE_URL["ENGINE"].endswith("sqlite3"),
    "TELEGRAM_WEBHOOK_URL requires TELEGRAM_WEBHOOK_SECRET, by which the service knows that Telegram calls.": (
        TELEGRAM_WEBHOOK_URL and not TELEGRAM_WEBHOOK_SECRET
    ),
    "HTTPS=true does not allow ALLOWED_HOSTS=*. Set the host name of the certificate.": HTTPS and "*" in ALLOWED_HOSTS,
}
if any(contradictions.values()):
    sys.exit("\n".join(["Invalid settings:", *(words for words, so in contradictions.items() if so)]))

# Derived from these settings

try:
    SECRET_KEY = SECRET_KEY or secret_key.read_or_make(DATA_DIR / "secret_key")
except OSError as error:
    sys.exit(f"The secret key cannot be stored in DATA_DIR ({DATA_DIR}): {error.strerror}.")
try:
    TIME_ZONE = TIME_ZONE or service_zone.read_zone(DATA_DIR / "time_zone", available_timezones()) or "UTC"
except ValueError as error:
    sys.exit(f"Invalid settings:\n{error}")
waits: dict[str, Any] = {
    "connect_timeout": DATABASE_CONNECT_TIMEOUT,
    "network_timeout": DATABASE_NETWORK_TIMEOUT,
    "behind_pooler": DATABASE_POOLER,
}
DATABASES = {"default": databases.database_settings(url=DATABASE_URL, **waits)}
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = databases.replica_settings(url=DATABASE_REPLICA_URL, **waits)
    DATABASE_ROUTERS = ["core.db.replica.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "crm_router",
    "core.changes",
    "operators",
    "routing",
    "leads",
    "notifications",
    "notifications.messenger",
    "access",
    "accounts",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
]

# The API needs neither sessions, languages nor forms: those seven are active in the back-office only.
MIDDLEWARE = [
    "crm_router.observability.requests.Observe",
    "crm_router.middleware.LocaleMiddleware",  # outside of all middleware that answers with a sentence
    "crm_router.middleware.EncryptedAPI",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm_router.middleware.ContentSecurityPolicy",
    "crm_router.middleware.OptionalTrailingSlash",
    "django.middleware.common.CommonMiddleware",  # refuses unknown hosts
    "crm_router.middleware.OwnChangesAreSeen",
    "crm_router.middleware.SessionMiddleware",
    "crm_router.middleware.CsrfViewMiddleware",
    "crm_router.middleware.AuthenticationMiddleware",
    "crm_router.middleware.SecondFactorMiddleware",
    "crm_router.middleware.MessageMiddleware",
    "crm_router.middleware.TimeZoneMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
APPEND_SLASH = False  # an API path answers the same with and without it, never by a redirect

ROOT_URLCONF = "crm_router.urls"
WSGI_APPLICATION = "crm_router.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# E-mail: MAILERS; before Django 6.1 EMAIL_HOST and so on.
IS_EMAIL_CONFIGURED = bool(mail_server)
globals().update(mail.mail_settings(mail_server))

# Sign-in to the back-office

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
# By account and address together, so that an attacker elsewhere cannot lock a user out. The handler adds a limit for
# all accounts from one address.
AXES_HANDLER = "accounts.lockout.Handler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = SIGN_IN_ATTEMPTS
AXES_COOLOFF_TIME = timedelta(minutes=SIGN_IN_WAIT_MINUTES)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # and refused attempts are not stored, so the table stays small
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "accounts.client_address.client_network"
AXES_USERNAME_CALLABLE = "accounts.views.attempted_username"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "CRM Lead Router"
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds that a link for a new password works
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
LOGIN_REDIRECT_URL = "admin:index"  # unfold's sign-in page drops `next`
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"

# Behind HTTPS. TRUSTED_PROXIES state which requests were encrypted; gunicorn checks it (server/gunicorn_conf.py).
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_REDIRECT_EXEMPT = [r"^(health(/ready)?|metrics)/?$"]  # probes come directly, not through the proxy
SILENCED_SYSTEM_CHECKS = [
    "axes.W002",  # one page does what the middleware would do: accounts.views.sign_in
    "security.W003",  # Django's CSRF middleware is there, within crm_router.middleware.CsrfViewMiddleware
    # Whether the subdomains always use HTTPS is for the owner of the domain to decide.
    "security.W005",
    "security.W021",
]
USE_TZ = True
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "crm_router" / "locale"]
FORMAT_MODULE_PATH = "crm_router.formats"

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # pages link to no others, and compressing takes most of a first start
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]  # large, and for developers only

UNFOLD = back_office.UNFOLD
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # crm_router/server/request_body.py limits every body before Django reads it
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # the page of a source sends three for each operator on its roster

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["access.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["access.throttle.NotTooFast", "access.scopes.WithinScope"],  # in this order
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is answered 405; the schema has the metadata
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["access.scopes.OwnSource", "django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "core.api.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = openapi.SETTINGS

# At DEBUG these loggers quote client data: statements with their values, parts of requests.
QUOTING = "INFO" if LOG_LEVEL == "DEBUG" and not LOG_PERSONAL_DATA else LOG_LEVEL
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"chosen": {"()": "crm_router.observability.logs.Formatter", "form": LOG_FORMAT}},
    "filters": {"clients": {"()": "crm_router.observability.logs.WithoutClients"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "chosen", "filters": ["clients"]},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": LOG_LEVEL},
        "axes": {"level": "WARNING"},  # otherwise four lines for each sign-in
        "django.db.backends": {"level": QUOTING},
        # These log with client data what the request log has without.
        "django.request": {"handlers": ["nowhere"], "propagate": False},
        # Clients can provoke these at will, each with a traceback. The request log has a line for each, too.
        "django.security": {"level": "CRITICAL"},
        # It quotes addresses: that of Telegram has the token of the bot in it.
        "urllib3": {"level": "CRITICAL"},
        "gunicorn.error": {"level": QUOTING, "propagate": True},
    },
}
