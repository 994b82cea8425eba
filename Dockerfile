# The bot as an image: Node 24, the runtime dependencies, the sources as they are (Node runs TypeScript itself).
#
#     docker build -t autoresearch .
#     docker run --init --env-file .env -p 3000:3000 autoresearch
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No dependency of the bot needs a script to be installed, so none is run.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    LOG_FORMAT=json
# Python's compiler looks at what a model wrote before a trial is spent on it; a command of the admin's works in a repository.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends git python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
# The manifest and the workflow are read: the doctor and a session's start compare a repository's with them.
COPY package.json app.yml ./
COPY .github/workflows/autoresearch.yml .github/workflows/autoresearch.yml
COPY src ./src
# The files belong to root; the process does not, and writes nothing.
USER node
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
