"""Every setting, from the environment, with a default that suits one machine.

README, "Settings", lists them. Nonsense stops the start with a message that names every bad value at once.
"""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

import environs
from marshmallow.validate import OneOf, Range
from phonenumbers import SUPPORTED_REGIONS
from whitenoise.compress import Compressor

from crm_router import VERSION, back_office, databases, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# What the person who deploys decides. X_FILE may name a file that holds the value of X (Docker secrets).

env = environs.FileAwareEnv(eager=False, strip_whitespace=True)
env.add_parser("database", databases.parse)

DATA_DIR = env.path("DATA_DIR", BASE_DIR / "data")
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
DATABASE_URL = env.database("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / 'db.sqlite3'))}")
DATABASE_CONNECT_TIMEOUT = env.int("DATABASE_CONNECT_TIMEOUT", 5, validate=Range(1, 300))
DATABASE_STATEMENT_TIMEOUT = env.float("DATABASE_STATEMENT_TIMEOUT", 30.0, validate=Range(0, 86_400))
DATABASE_LOCK_TIMEOUT = env.float("DATABASE_LOCK_TIMEOUT", 10.0, validate=Range(0, 86_400))
DATABASE_IDLE_TIMEOUT = env.float("DATABASE_IDLE_TIMEOUT", 60.0, validate=Range(0, 86_400))
DATABASE_POOLER = env.bool("DATABASE_POOLER", False)
STATIC_ROOT = env.path("STATIC_ROOT", DATA_DIR / "static")
PHONE_REGION = env.str("PHONE_REGION", "RU", validate=OneOf(SUPPORTED_REGIONS, error="no such region: {input}"))
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en", validate=OneOf(["en", "ru"]))
TIME_ZONE = env.str("TIME_ZONE", "UTC", validate=OneOf(available_timezones(), error="no such time zone: {input}"))
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]))
SWEEP_SECONDS = env.int("SWEEP_SECONDS", 60, validate=Range(0, 86_400))
QUEUE_BURST = env.int("QUEUE_BURST", 0, validate=Range(0))
REQUEST_TIMEOUT = env.int("REQUEST_TIMEOUT", 20, validate=Range(1, 3600))
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", 256 * 1024, validate=Range(1024))
MAX_JSON_DEPTH = env.int("MAX_JSON_DEPTH", 20, validate=Range(3, 500))

try:
    env.seal()
except environs.EnvValidationError as error:
    found: Any = error.error_messages  # by name, as sealing gives them
    sys.exit(" ".join(["These settings make no sense.", *(f"{name}: {' '.join(found[name])}" for name in found)]))

# What follows from it

SECRET_KEY = SECRET_KEY or secret_key.read_or_make(DATA_DIR / "secret_key")
DATABASES = {
    "default": databases.database(
        url=DATABASE_URL,
        connect_timeout=DATABASE_CONNECT_TIMEOUT,
        behind_pooler=DATABASE_POOLER,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "crm_router",
    "operators",
    "routing",
    "leads",
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
]

# The API needs neither sessions, languages nor forms: those five wake up in the back-office only.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm_router.middleware.ContentSecurityPolicy",
    "crm_router.middleware.OptionalTrailingSlash",
    "django.middleware.common.CommonMiddleware",  # refuses hosts that are not ours
    "crm_router.middleware.SessionMiddleware",
    "crm_router.middleware.LocaleMiddleware",
    "crm_router.middleware.CsrfViewMiddleware",
    "crm_router.middleware.AuthenticationMiddleware",
    "crm_router.middleware.MessageMiddleware",
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

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = "admin:index"  # unfold's sign-in page drops `next`
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"

# Static files may be served by a proxy that runs as somebody else, whatever the umask of the service.
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o644, 0o755

USE_TZ = True
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "crm_router" / "locale"]

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]  # large, and for developers only

UNFOLD = back_office.UNFOLD
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # the page of a source sends three for each operator on its roster

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PARSER_CLASSES": ["crm_router.wire.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "crm_router.wire.negotiation.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is a 405; the schema tells more
    "DEFAULT_PAGINATION_CLASS": "crm_router.wire.pages.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "crm_router.wire.problems.answer",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "CRM Lead Router",
    "DESCRIPTION": "Every message reaches the right person at once: an operator by weight, never above the limit.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "ENUM_NAME_OVERRIDES": {
        "WaitingReason": "leads.models.Contact.Waiting",
        "ContactStatus": "leads.models.Contact.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "crm_router.wire.schema.with_problems",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {"django": {"level": LOG_LEVEL}},
}
