# docker build --build-arg VERSION=v1.2.3 -t mailvane .
# docker run -v mailvane:/var/lib/mailvane -v ./mailvane.yaml:/etc/mailvane/mailvane.yaml:ro -p 9464:9464 mailvane
#
# The configuration needs http.listen 0.0.0.0:9464 and ledger.path /var/lib/mailvane/ledger.db.

FROM golang:1.26-bookworm AS build
ARG VERSION=
ENV CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/mailvane ./cmd/mailvane
RUN mkdir /out/data /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/mailvane /usr/bin/mailvane
COPY --from=build --chown=65532:65532 /out/data /var/lib/mailvane
# The demo has its ledger there.
COPY --from=build --chown=65532:65532 /out/tmp /tmp
COPY LICENSE NOTICE /usr/share/doc/mailvane/
USER 65532:65532
WORKDIR /var/lib/mailvane
VOLUME /var/lib/mailvane
EXPOSE 9464
ENTRYPOINT ["/usr/bin/mailvane"]
CMD ["run", "--config", "/etc/mailvane/mailvane.yaml"]
