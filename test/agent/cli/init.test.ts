import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { init } from "../../../agent/cli/init.ts";
import { composeCommands } from "../../../agent/compose/commands.ts";
import { loadConfig } from "../../../core/config/load.ts";
import { startZipkin } from "../../../evals/sandbox/zipkin/collector.ts";
import { approverKey } from "../../../mcp-tools/gate/approver-key.ts";
import { commit, fakeApplication, fakeArgocd } from "../../fakes/fake-argocd.ts";
import { fakeUnleash, UNLEASH_TOKEN } from "../../fakes/fake-unleash.ts";
import { requireReal } from "../../real-component.ts";
import { httpProcess, openWorld } from "./live-world.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

/** What a file says, loaded with the strict schema. */
function loaded(world: World, file: string, variables: Readonly<Record<string, string>> = {}) {
  const text = readFileSync(join(world.folder, file), "utf8");
  const answer = loadConfig(text, file, variables);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  return { text, config: answer.config };
}

describe.skipIf(!requireReal("prometheus", "prometheus"))(
  "unship init, against a real Prometheus and a cluster",
  () => {
    let world: World;
    beforeAll(async () => {
      world = await openWorld({
        processes: [
          httpProcess({ service: "cart", version: "1.0.0", team: "red" }),
          httpProcess({ service: "payments", version: "2.1.0", team: "blue" }, { failing: true }),
        ],
        workloads: [
          { name: "cart" },
          { name: "payments" },
          { name: "worker" },
          { name: "dns", namespace: "kube-system" },
        ],
      });
    });
    afterAll(() => world[Symbol.asyncDispose]());

    it("writes a file that observes, loads, and passes check against the same servers", async () => {
      const words = ["init", "--prometheus", world.prometheus, "--kubeconfig", world.kubeconfig];
      const { code, out, err } = await world.unship(words);
      expect({ code, err }, out).toEqual({ code: 0, err: "" });
      expect(out).toContain(
        "Requests: http_requests_total, 6 series from 2 processes; failures: status is the HTTP status (200, 500)",
      );
      expect(out).toContain(
        "  1. service: 2 of 4 workloads are among its 2 values, on 100 % of the series, one value per process",
      );
      expect(out).toContain("  with a workload alone: worker");
      expect(out.trimEnd().split("\n").at(-1)).toMatch(/^Verdict: ready for mode observe/);
      const { text, config } = loaded(world, "unship.yaml");
      expect(text.split("\n").length).toBeLessThan(35);
      expect(config).toMatchObject({
        mode: "observe",
        modeIsDefault: false,
        serviceLabel: "service",
        versionLabel: "version",
      });
      expect(config.dataSources.deployments).toMatchObject([{ type: "kubernetes", namespaces: ["shop"] }]);
      expect(Object.keys(config.dataSources.metrics.queries)).toEqual(["error_rate", "p99_latency"]);
      const checked = await world.unship(["check", "-c", "unship.yaml"]);
      expect(checked.code, checked.out).toBe(0);
    });

    it("writes mode approve with one approver, of whose token it keeps the public key alone, and with a shorter window", async () => {
      const token = "planted-token-5b1d0c77a2e94f60";
      writeFileSync(join(world.folder, "ada.token"), token, { mode: 0o600 });
      const words = [
        "init",
        "--prometheus",
        world.prometheus,
        "--kubeconfig",
        world.kubeconfig,
        "--out",
        "approve.yaml",
      ];
      const more = ["--mode", "approve", "--approver", "ada", "--token-file", "ada.token", "--window", "15s"];
      const { code, out, err } = await world.unship([...words, ...more]);
      expect({ code, err }, out).toEqual({ code: 0, err: "" });
      const { text, config } = loaded(world, "approve.yaml");
      const tokenKey = approverKey(token).text;
      expect(config).toMatchObject({ mode: "approve", approvers: [{ name: "ada", tokenKey }] });
      expect(text).toContain("[15s]");
      expect(text).not.toContain("[5m]");
      expect(text).toContain("duration: 9s");
      expect(text).toContain("watch: { step: 3s }");
      expect(`${text}${out}`).not.toContain(token);
      expect(out).toContain("mode approve: nothing is executed without a person's approval");
      expect(out.trimEnd().split("\n").at(-1)).toMatch(/^Verdict: ready for mode approve/);
    });

    it.each([
      ["mode auto", ["--mode", "auto"], "Allowed choices are observe, approve"],
      ["mode approve without an approver", ["--mode", "approve"], "name who may with --approver NAME"],
      ["a token without its owner", ["--token-file", "x"], "has to be named with --approver NAME"],
      ["an approver without a token", ["--approver", "ada"], "type it at a terminal"],
      ["a window that is none", ["--window", "soon"], "no duration of 5s or more"],
      ["a window that holds no two samples", ["--window", "1s"], "no duration of 5s or more"],
    ])("refuses %s before it asks anybody, and writes nothing", async (_, more, reason) => {
      const words = ["init", "--prometheus", "http://127.0.0.1:9", "--out", "refused.yaml", ...more];
      const { code, err } = await world.unship(words);
      expect(code, err).toBe(2);
      expect(err).toContain(reason);
      expect(existsSync(join(world.folder, "refused.yaml"))).toBe(false);
    });

    it("reads spans where told, and says so where Zipkin does not answer", async () => {
      const zipkin = await startZipkin();
      onTestFinished(() => zipkin.close());
      const words = ["init", "--prometheus", world.prometheus];
      const found = await world.unship([...words, "--zipkin", zipkin.url.href, "--out", "spans.yaml"]);
      expect(found.code, found.out).toBe(0);
      const endpoint = zipkin.url.href.replace(/\/$/, "");
      expect(loaded(world, "spans.yaml").config.dataSources.traces).toMatchObject({ type: "zipkin", endpoint });
      const down = await world.unship([...words, "--zipkin", "http://127.0.0.1:9", "--out", "down.yaml"]);
      expect(down.code, down.out).toBe(3);
      expect(down.out).toContain("  - Zipkin: ");
    });

    it("leaves a file that is there alone unless told", async () => {
      const file = join(world.folder, "mine.yaml");
      writeFileSync(file, "mine");
      const words = ["init", "--prometheus", world.prometheus, "--out", "mine.yaml"];
      const { code, err } = await world.unship(words);
      expect(code).toBe(2);
      expect(err).toContain("mine.yaml: it is there already; --force replaces it, --out FILE writes elsewhere");
      expect(readFileSync(file, "utf8")).toBe("mine");
      await world.unship([...words, "--force"]);
      expect(readFileSync(file, "utf8")).toMatch(/^# Written by `unship init`/);
    });

    it("S10: writes names of variables and no secret, and refuses an address that carries one", async () => {
      const token = "planted-bearer-8f3a91";
      const words = ["init", "--prometheus", world.prometheus, "--out", "token.yaml"];
      const { out, err } = await world.unship(words, { variables: { PROMETHEUS_TOKEN: token } });
      const text = readFileSync(join(world.folder, "token.yaml"), "utf8");
      expect(text).toContain(`token: "\${PROMETHEUS_TOKEN}"`);
      expect(`${text}${out}${err}`).not.toContain(token);
      const carried = await world.unship([
        "init",
        "--prometheus",
        "http://u:planted-pass@127.0.0.1:9",
        "--out",
        "u.yaml",
      ]);
      expect(carried.code).toBe(2);
      expect(`${carried.out}${carried.err}`).not.toContain("planted-pass");
      expect(existsSync(join(world.folder, "u.yaml"))).toBe(false);
    });

    it("writes nothing where Prometheus does not answer, and says so", async () => {
      const { code, err } = await world.unship(["init", "--prometheus", "http://127.0.0.1:9", "--out", "none.yaml"]);
      expect(code).toBe(3);
      expect(err).toContain("prometheus gave no usable answer: nothing listens at 127.0.0.1:9");
      expect(existsSync(join(world.folder, "none.yaml"))).toBe(false);
    });

    it("goes on without another source that does not answer, leaves it out, and does not call that success", async () => {
      const words = [
        "init",
        "--prometheus",
        world.prometheus,
        "--kubeconfig",
        world.kubeconfig,
        "--argocd",
        "http://127.0.0.1:9",
      ];
      const { code, out } = await world.unship([
        ...words,
        "--flags",
        "unleash=http://127.0.0.1:9",
        "--out",
        "part.yaml",
      ]);
      expect(code, out).toBe(3);
      expect(out).toMatch(/Not found:\n {2}- Argo CD: argocd gave no usable answer/);
      expect(out).toContain(
        "unleash: the variable UNLEASH_TOKEN is not set, so that it was not asked and is not in the file",
      );
      expect(loaded(world, "part.yaml").text).not.toMatch(/argocd|unleash/);
    });

    it("takes what people choose over what it derived, and says what of it does not hold", async () => {
      const words = ["init", "--prometheus", world.prometheus, "--kubeconfig", world.kubeconfig, "--out", "own.yaml"];
      const { code, out } = await world.unship([...words, "--service-label", "team", "--version-label", "none"]);
      const { config } = loaded(world, "own.yaml");
      expect(config.serviceLabel).toBe("team");
      expect(out).toMatch(
        /FAIL own\.yaml:\d+:16: service_label: none of the values of team .*\(write service_label: service; /,
      );
      expect(code).toBe(1);
      const wrong = await world.unship([...words, "--force", "--request-metric", "http_reqs_total"]);
      expect(wrong.code).toBe(2);
      expect(wrong.err).toContain('--request-metric: "http_reqs_total" is none of those that fit: http_requests_total');
    });

    it("reads flags and applications, and ties services to the applications of their name", async () => {
      await using unleash = await fakeUnleash({ project: "default", environments: ["production"] });
      await using argocd = await fakeArgocd([fakeApplication("cart", [commit("a")])]);
      const variables = { UNLEASH_TOKEN, ARGOCD_TOKEN: argocd.token };
      const words = ["init", "--prometheus", world.prometheus, "--kubeconfig", world.kubeconfig, "--out", "all.yaml"];
      const more = ["--argocd", String(argocd.url), "--flags", `unleash=${String(unleash.url)}`];
      const { code, out, err } = await world.unship([...words, ...more], { variables });
      expect({ code, err }, out).toEqual({ code: 0, err: "" });
      const { text, config } = loaded(world, "all.yaml", variables);
      expect(`${text}${out}`).not.toContain(UNLEASH_TOKEN);
      expect(config.services.cart).toMatchObject({ argocdApplication: "cart" });
      expect(config.dataSources.featureFlags).toMatchObject({
        type: "unleash",
        token: { from: "env", name: "UNLEASH_TOKEN" },
      });
      expect(config.allowedActions.map(({ type }) => type)).toEqual([
        "kubectl_rollout_undo",
        "argocd_sync_to_previous",
        "feature_flag_disable",
      ]);
    });

    describe("at a terminal", () => {
      /** Runs it in this process, with these answers to its questions, by a part of each. */
      async function answering(answers: readonly (readonly [part: string, answer: string | null])[], out: string) {
        const asked: string[] = [];
        const said: string[] = [];
        const terminal = {
          out: (text: string) => void said.push(text),
          err: (text: string) => void said.push(text),
          isTty: false,
          columns: 120,
          askSecret: null,
          ask: async (question: string) => {
            asked.push(question);
            const found = answers.find(([part]) => question.includes(part));
            return found === undefined ? "" : found[1];
          },
        };
        const environment = { PROMETHEUS_URL: world.prometheus, KUBECONFIG: world.kubeconfig };
        const openBundle = () => Promise.reject(new Error("no bundle"));
        const commands = composeCommands({
          ...{ version: "0", environment, terminal, openBundle },
          start: { command: "node", args: ["unship"] },
        });
        const code = await init(commands, { out: join(world.folder, out) }, new AbortController().signal).catch(
          (error: unknown) => error,
        );
        return { code, asked, said: said.join("") };
      }

      it("asks few questions, each with what was found as its default", async () => {
        const { code, asked, said } = await answering([], "asked.yaml");
        expect(code, said).toBe(0);
        expect(asked).toEqual([
          `URL of Prometheus [${world.prometheus}]: `,
          `kubeconfig of the cluster, or none [${world.kubeconfig}]: `,
          "URL of Argo CD, or none [none]: ",
          "Feature flags: unleash=URL, launchdarkly, flagsmith, or none [none]: ",
          "Label that names the service, or none [service]: ",
          "Label that names the version, or none [version]: ",
          "Namespaces to watch [shop]: ",
        ]);
        expect(loaded(world, "asked.yaml").config.serviceLabel).toBe("service");
      });

      it("writes nothing where somebody gives up, or does not want a file replaced", async () => {
        const gaveUp = await answering([["version", null]], "gone.yaml");
        expect(String(gaveUp.code)).toContain("given up, and nothing was written");
        expect(existsSync(join(world.folder, "gone.yaml"))).toBe(false);
        writeFileSync(join(world.folder, "kept.yaml"), "kept");
        const kept = await answering([["Replace it?", ""]], "kept.yaml");
        expect(String(kept.code)).toContain("it is there already");
        expect(readFileSync(join(world.folder, "kept.yaml"), "utf8")).toBe("kept");
      });
    });
  },
);

describe.skipIf(!requireReal("prometheus", "prometheus"))("unship init, where little is as usual", () => {
  it("finds the labels by their values, maps names that differ, and says how versions get into metrics", async () => {
    const shop = (app: string) =>
      httpProcess({ svc_id: app, env: "prod" }, { metric: "shop_requests_total", status: "code" });
    await using world = await openWorld({
      processes: [shop("shop/cart"), shop("shop/search")],
      workloads: [
        { name: "cart", labels: { "app.kubernetes.io/name": "basket" } },
        { name: "search", labels: { "app.kubernetes.io/name": "finder" } },
      ],
    });
    const { code, out } = await world.unship([
      "init",
      "--prometheus",
      world.prometheus,
      "--kubeconfig",
      world.kubeconfig,
    ]);
    const { config, text } = loaded(world, "unship.yaml");
    expect(config.serviceLabel, out).toBe("svc_id");
    expect(config.dataSources.metrics.queries.error_rate?.query).toContain('shop_requests_total{code=~"5.."}');
    expect(config.services).toMatchObject({
      "shop/cart": { namespace: "shop", workload: { kind: "Deployment", name: "cart" } },
      "shop/search": { namespace: "shop", workload: { kind: "Deployment", name: "search" } },
    });
    expect(out).toMatch(
      /Not found:\n {2}- a label that names the version, .*__meta_kubernetes_pod_label_app_kubernetes_io_version/,
    );
    expect(text).toContain("# No label tells versions apart");
    expect(code, out).toBe(0);
  });

  it("writes what there is where no metric counts requests, and says what lacks", async () => {
    await using world = await openWorld({ processes: [() => "queue_length 3\n"], workloads: [{ name: "cart" }] });
    const { out } = await world.unship(["init", "--prometheus", world.prometheus, "--kubeconfig", world.kubeconfig]);
    expect(out).toContain("Requests: no metric that counts them");
    expect(out).toContain("- a metric that counts requests: expose one");
    const { config } = loaded(world, "unship.yaml");
    expect(config.policies.flatMap(({ conditions }) => conditions.map(({ kind }) => kind))).toEqual(["health"]);
  });
});
