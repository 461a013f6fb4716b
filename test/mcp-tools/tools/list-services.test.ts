import { describe, expect, it } from "vitest";
import { readResource } from "../../../mcp-tools/resources/resources.ts";
import { callTool } from "../call-tool.ts";
import { config, context } from "../scenario.ts";

describe("list_services", () => {
  it("lists configured, measured and called services with what may be done to each", async () => {
    const services = {
      "billing-service": {
        namespace: null,
        workload: null,
        argocdApplication: null,
        flags: [],
        criticality: "critical" as const,
        revenuePerMinute: null,
        routes: [],
        mode: "observe" as const,
      },
    };
    const base = context({ config: config({ services }) });
    const ledger = { ...base.ledger, pauses: async () => [{ scope: "search", by: "robin", at: 1 }] };
    const { structured } = await callTool({ ...base, ledger }, "list_services");
    expect(structured?.services).toEqual([
      {
        service: "billing-service",
        criticality: "critical",
        mode: "observe",
        never_automatic: true,
        paused: false,
        metrics: 0,
      },
      { service: "checkout", criticality: null, mode: "auto", never_automatic: false, paused: false, metrics: 1 },
      { service: "gateway", criticality: null, mode: "auto", never_automatic: false, paused: false, metrics: 0 },
      { service: "search", criticality: null, mode: "auto", never_automatic: false, paused: true, metrics: 0 },
    ]);
  });

  it("S7, S15: the mode is that of what is at work on the ledger, and the policy says so too", async () => {
    const asSaid = { ...context({ config: { ...config(), mode: "observe" } }) };
    const world = { ...asSaid, atWork: async () => [{ work: "the watch", mode: "auto" as const }] };
    const modes = async (one: typeof asSaid) => {
      const { structured } = await callTool(one, "list_services");
      const services = structured?.services as { readonly mode: string }[] | undefined;
      return new Set(services?.map(({ mode }) => mode));
    };
    const policy = async (one: typeof asSaid) =>
      (await readResource("unship://policy", one, new AbortController().signal))?.text ?? "";
    expect(await modes(asSaid)).toEqual(new Set(["observe"]));
    expect(await modes(world)).toEqual(new Set(["auto"]));
    expect(await policy(world)).toMatch(
      /^Mode auto, in which the watch runs; the configuration that this server read says observe\./,
    );
    expect((await policy(world)).replace(/^.*\n\n/, "")).toBe(await policy(context({ config: config() })));
    expect(await policy(asSaid)).not.toMatch(/^Mode auto/);
  });

  it("S8, S15: says that what may execute plans obeys another version than this server read, and the policy says who", async () => {
    const base = context({ config: { ...config(), version: "aaaaaaaa" } });
    const working = (version: string) => ({
      ...base,
      atWork: async () => [{ work: "the watch", mode: base.config.mode, version, since: 0 }],
    });
    const notice = async (one: typeof base) => String((await callTool(one, "list_services")).structured?.notice);
    const policy = async (one: typeof base) =>
      (await readResource("unship://policy", one, new AbortController().signal))?.text ?? "";
    expect(await notice(working("bbbbbbbb"))).toContain("obeys another version of the configuration");
    expect(await policy(working("bbbbbbbb"))).toMatch(
      /^CAUTION: the watch obeys another version of the configuration that this server read, read at 1970-01-01T00:00:00/,
    );
    expect(await notice(working("aaaaaaaa"))).toBe(await notice(base));
    expect(await policy(working("aaaaaaaa"))).toBe(await policy(base));
  });

  it("shows a pause at once, though the evidence is the same as before", async () => {
    const base = context();
    const paused: { scope: string; by: string; at: number }[] = [];
    const world = { ...base, ledger: { ...base.ledger, pauses: async () => [...paused] } };
    const pausedNow = async () => {
      const { structured } = await callTool(world, "list_services");
      const services = structured?.services as { service: string; paused: boolean }[] | undefined;
      return services?.filter((one) => one.paused).map(({ service }) => service);
    };
    expect(await pausedNow()).toEqual([]);
    paused.push({ scope: "search", by: "robin", at: 1 });
    expect(await pausedNow()).toEqual(["search"]);
    paused.pop();
    expect(await pausedNow()).toEqual([]);
  });
});
