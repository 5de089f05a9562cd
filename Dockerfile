# Jarchy in a container: `docker build -t jarchy .`
# What runs is installed by the lock's hashes; then the program itself, which looks for nothing more.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/jarchy \
 && /opt/jarchy/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY storage storage
RUN /opt/jarchy/bin/pip install --quiet --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
COPY --from=build /opt/jarchy /opt/jarchy
RUN useradd --system --uid 10001 --home-dir /data jarchy \
 && install --directory --owner jarchy --group jarchy --mode 0700 /data
# libraries that keep caches get a place that may vanish
ENV PATH=/opt/jarchy/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    JARCHY_CALLED="docker run … jarchy" HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib DATABASE_URL=sqlite:////data/jarchy.db
WORKDIR /data
VOLUME /data
USER jarchy
STOPSIGNAL SIGTERM
# where OPS_LISTEN says, or nowhere
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "from os import environ; from urllib.request import urlopen; at = environ.get('OPS_LISTEN', '127.0.0.1:8080'); at == 'off' or urlopen(f'http://{at}/healthz', timeout=4)"]
ENTRYPOINT ["jarchy"]
CMD ["run"]
