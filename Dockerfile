# The three processes as images: docker build --target api . (or worker, or metrics).
#
#   build         every package of package-lock.json, compiles to dist; nothing of it but dist goes on
#   dependencies  the production packages alone, without what no process opens
#   base          Node and those packages, belonging to root, read by an unprivileged user
#   api, worker, metrics
#
# Needs no network but npm's registry and that of the image below. What goes into the context: .dockerignore.

# The version of the npm package `node`, on which everything is tested.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Install scripts fetch a second Node and Postgres for the local stack; the compilers come as packages.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && find dist -name '*.map' -delete

FROM node:${NODE_VERSION}-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
# Optional packages are faster versions of what is there anyway, and TypeScript.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
RUN find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && rm -rf node_modules/typeorm/browser node_modules/.package-lock.json

FROM node:${NODE_VERSION}-slim AS base
# npm and its kin install things; nothing here needs that.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* /usr/local/bin/yarn*
# Where files are kept unless STORAGE_S3_BUCKET names a bucket: a volume takes its owner from here.
RUN install -d -o 1000 -g 1000 /var/lib/stockyard /var/lib/stockyard/files
# Four threads help V8 otherwise, on a part of a processor too: docs/adr/0023-threads-of-v8.md.
ENV NODE_ENV=production \
    NODE_OPTIONS=--v8-pool-size=0 \
    HOST=0.0.0.0 \
    STORAGE_DIR=/var/lib/stockyard/files
WORKDIR /srv/stockyard
COPY deploy/image/ready.sh /usr/local/bin/stockyard-ready
COPY package.json ./
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist/libs ./dist/libs
COPY --from=build /build/dist/migrations ./dist/migrations
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
STOPSIGNAL SIGTERM

FROM base AS api
COPY --from=build /build/dist/apps/api ./dist/apps/api
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD stockyard-ready "${API_PORT:-3000}"
CMD ["node", "dist/apps/api/src/main.js"]

# Also what an operator runs beside it: dist/tools/migrate and dist/tools/cli.
FROM base AS worker
COPY --from=build /build/dist/apps/worker ./dist/apps/worker
COPY --from=build /build/dist/tools/migrate ./dist/tools/migrate
COPY --from=build /build/dist/tools/cli ./dist/tools/cli
EXPOSE 3001
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD stockyard-ready "${WORKER_PORT:-3001}"
CMD ["node", "dist/apps/worker/src/main.js"]

FROM base AS metrics
COPY --from=build /build/dist/apps/metrics ./dist/apps/metrics
EXPOSE 3002
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD stockyard-ready "${METRICS_PORT:-3002}"
CMD ["node", "dist/apps/metrics/src/main.js"]
