# docker build -t evenkeel .
#
# BASE is any image with Node 22.19 or newer and npm. No step runs install scripts of packages.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY . .
# Of what the root asks for, building needs esbuild alone: without the rest half as much is fetched. At the end the page's
# packages go the same way. One step, so that neither they nor npm's cache become a layer.
RUN esbuild=$(npm pkg get devDependencies.esbuild | tr -d '"') \
 && npm pkg delete devDependencies optionalDependencies && npm pkg set devDependencies.esbuild="$esbuild" \
 && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
 && node scripts/build.ts \
 && rm packages/web/package.json packages/testbed/package.json \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
 && rm -rf ~/.npm

FROM ${BASE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Evenkeel" \
      org.opencontainers.image.description="A self-hosted control room for containers" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
WORKDIR /app
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/packages/server/package.json packages/server/
COPY --from=build /src/packages/server/dist packages/server/dist
COPY --from=build /src/packages/web/dist packages/web/dist
ENV NODE_ENV=production \
    EVENKEEL_HOST=0.0.0.0 \
    EVENKEEL_PORT=8420 \
    EVENKEEL_DATA_DIR=/data
VOLUME /data
EXPOSE 8420
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.EVENKEEL_PORT}/api/v1/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Root, as the socket of most engines demands; docs/operations.md shows how to run as another user.
# The exec form makes node process 1, so that SIGTERM reaches it and it stops in order.
ENTRYPOINT ["node", "packages/server/dist/main.js"]
