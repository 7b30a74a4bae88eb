# syntax=docker/dockerfile:1
# One image for every role. It needs no writable file system but /tmp, and no rights.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/production.txt /tmp/production.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/production.txt
WORKDIR /app
COPY manage.py ./
COPY platform platform
COPY apps apps
COPY static static
COPY templates templates
# Bytecode and hashed assets are made here: the running container cannot write them.
RUN DJANGO_SETTINGS_MODULE=config.settings.collecting /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q apps platform

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin stepwell
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app/platform:/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    STEPWELL_DATA_DIR=/tmp/stepwell \
    HOME=/tmp
USER 10001
EXPOSE 8288
# A worker or scheduler names its role: python -m apps.server.probe worker
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "apps.server.probe"]
# Or one role: python -m apps.server.role web | worker | scheduler
CMD ["python", "manage.py", "start"]
