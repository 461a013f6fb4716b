import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressesIn, expanded } from "../../../../mcp-tools/connectors/kubernetes/addresses.ts";

describe("addresses in the configuration of a container", () => {
  it.each<readonly [string, string, string, readonly string[]]>([
    ["a URL", "CATALOG", "http://catalog:8080/v1?x=1", ["catalog:8080 //"]],
    [
      "a URL without a port",
      "CATALOG",
      "https://catalog.shop.svc.cluster.local",
      ["catalog.shop.svc.cluster.local //"],
    ],
    ["a host and a port", "X", "catalog:8080", ["catalog:8080"]],
    ["a host alone under a name for hosts", "CATALOG_HOST", "catalog", ["catalog"]],
    ["a host alone under a name for addresses", "CATALOG_ADDR", "catalog.shop", ["catalog.shop"]],
    ["a host of the cluster's DNS under any name", "X", "catalog.shop.svc", ["catalog.shop.svc"]],
    ["several brokers", "KAFKA", "kafka-0:9092,kafka-1:9092", ["kafka-0:9092", "kafka-1:9092"]],
    ["a connection string, its password passed over", "DB", "postgres://u:p@ss@db.shop:5432/x", ["db.shop:5432 //"]],
    ["a connection string of Go's MySQL", "DSN", "u:secret@tcp(db:3306)/shop", ["db:3306"]],
    ["a connection string of libpq", "DB", "host=db port=5432 user=shop", ["db"]],
    ["an argument", "", "--catalog-url=http://catalog:8080", ["catalog:8080 //"]],
    ["an argument with a host alone", "", "-catalog.host=catalog", ["catalog"]],
    ["a word is no address", "CACHE_TYPE", "redis", []],
    ["a mode under a name that ends otherwise", "SERVER_MODE", "catalog", []],
    ["a path", "CONFIG_URL", "/etc/catalog", []],
    ["an IP address", "CATALOG_ADDR", "10.0.0.7:8080", []],
    ["a time", "AT", "12:30", []],
    ["what it listens on", "LISTEN_ADDR", "catalog:8080", []],
    ["its own public address", "PUBLIC_URL", "https://shop.example.com", []],
    ["who may call it", "CORS_ORIGINS", "https://shop.example.com", []],
    ["where its telemetry goes", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel-collector:4317", []],
    ["a receiver of traces", "JAEGER_SERVICE_ADDR", "jaeger-collector:14268", []],
    ["nothing", "CATALOG_ADDR", "", []],
  ])("%s", (_, name, value, expected) => {
    const found = addressesIn({ name, value });
    expect(
      found.map((one) => `${one.host}${one.port === null ? "" : `:${one.port}`}${one.hasScheme ? " //" : ""}`),
    ).toEqual(expected);
  });

  it("holds nothing of a URL's user or password, whatever they are", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9!$&*+.~_%-]{6,20}$/);
    fc.assert(
      fc.property(part, part, (user, password) => {
        const found = addressesIn({ name: "DB_URL", value: `postgres://${user}:${password}@db:5432/shop` });
        expect(found).toEqual([{ host: "db", port: 5432, hasScheme: true }]);
      }),
    );
  });

  it("any text gives hosts as DNS has them, or none", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, value) => {
        for (const { host } of addressesIn({ name, value })) expect(host).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
      }),
    );
  });

  it("references to other variables are replaced as Kubernetes does", () => {
    const known = (name: string) => ({ HOST: "catalog", PORT: "8080" })[name];
    expect(expanded("http://$(HOST):$(PORT)/$(MISSING)", known)).toBe("http://catalog:8080/$(MISSING)");
    expect(expanded("$$(HOST)", known)).toBe("$(HOST)");
  });
});
