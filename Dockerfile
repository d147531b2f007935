# Two stages: what installs stays behind, what runs is all that is shipped.

FROM python:3.12-slim-bookworm AS build
ENV VENV=/opt/venv STATIC_ROOT=/opt/static/files
WORKDIR /app
COPY requirements.txt ./
COPY scripts/support/environment.py scripts/support/
RUN python scripts/support/environment.py make "$VENV" requirements.txt
COPY . ./
# "sentry", "opentelemetry" or both
ARG EXTRAS=""
RUN for extra in $EXTRAS; do \
        "$VENV/bin/python" -m pip install --no-cache-dir --only-binary :all: --require-hashes -r "requirements/$extra.txt" || exit; \
    done
# What runs installs nothing.
RUN rm -rf "$VENV"/bin/pip* "$VENV"/lib/python*/site-packages/pip "$VENV"/lib/python*/site-packages/pip-* \
        "$VENV"/lib/python*/site-packages/setuptools* "$VENV"/lib/python*/site-packages/pkg_resources \
        "$VENV"/lib/python*/site-packages/_distutils_hack "$VENV"/lib/python*/site-packages/distutils-precedence.pth
# A throwaway start collects the static files and proves that the migrations apply. The checkout may have come from
# somebody whose files only they may read.
RUN DATA_DIR="$(mktemp -d)" "$VENV/bin/python" manage.py prepare \
 && chmod -R a+rX,go-w /app /opt/static

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="CRM Lead Router" \
      org.opencontainers.image.description="Distributes clients' messages among operators by weight" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
# Fixed ids, so that a volume keeps its owner whatever is rebuilt. /opt/test-tools is where scripts/test installs, and
# /srv/public what deploy/compose.production.yaml shows nginx: a new volume takes its owner from the folder below it.
RUN groupadd --gid 10001 app \
 && useradd --uid 10001 --gid app --home-dir /data --shell /usr/sbin/nologin app \
 && install --directory --owner app --group app --mode 0750 /data /opt/test-tools \
 && install --directory --owner app --group app --mode 0755 /srv/public
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/static /opt/static
COPY --from=build /app /app
WORKDIR /app
ENV HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data \
    STATIC_ROOT=/opt/static/files \
    VENV=/opt/venv \
    TEST_VENV=/opt/test-tools/venv \
    MANAGE="docker compose exec app /opt/venv/bin/python manage.py" \
    PYTHONDONTWRITEBYTECODE=1
USER app
VOLUME /data
EXPOSE 8000
# Any answer shows that the process lives, also a refusal because 127.0.0.1 is not among ALLOWED_HOSTS.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["/opt/venv/bin/python", "scripts/support/alive.py"]
# The last thing it does is to become gunicorn, which is process 1 then and gets the signals.
CMD ["scripts/serve"]
